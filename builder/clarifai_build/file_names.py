"""Names that can stand side by side in an artifact, on every file system and in Triton."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from clarifai_build.ignore import IGNORE_FILE
from clarifai_build.problem import Problem


def name_problems(paths: Sequence[str]) -> list[Problem]:
    """Return what is wrong with the paths of a tree, of which none comes twice."""
    return [*_bad_names(paths), *_collisions(paths)]


def _bad_names(paths: Sequence[str]) -> list[Problem]:
    if _is_portable("".join(paths)):
        return []
    return [
        Problem(
            "file-name",
            f"{path!r} is no name for a file of an artifact: Triton reads ASCII names only, and "
            "control characters and backslashes mean different things on other systems",
            file=path,
            hint=f"rename it, or leave it out by a line in {IGNORE_FILE}",
        )
        for path in paths
        if not _is_portable(path)
    ]


def _is_portable(text: str) -> bool:
    return text.isascii() and text.isprintable() and "\\" not in text


def _collisions(paths: Sequence[str]) -> list[Problem]:
    """Find names that are one where case does not count; where Unicode forms do not, none can."""
    names = [*paths, *sorted(_folders(paths))]
    if len({name.lower() for name in names}) == len(names):
        return []
    taken: dict[str, str] = {}
    return [
        Problem(
            "file-collision",
            f"{taken[name.lower()]} and {name} are one name on macOS and Windows",
            file=name,
            hint="rename one of them",
        )
        for name in names
        if taken.setdefault(name.lower(), name) is not name
    ]


def _folders(paths: Iterable[str]) -> set[str]:
    folders: set[str] = set()
    while paths := {path.rpartition("/")[0] for path in paths} - {""}:
        folders |= paths
    return folders
