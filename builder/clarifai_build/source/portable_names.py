"""Names that can stand side by side in an artifact, on every file system and in Triton."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from clarifai_build.errors import Problem
from clarifai_build.source.ignoring.ignore import IGNORE_FILE


def name_problems(paths: Collection[str]) -> list[Problem]:
    """Return the problems of the paths of a tree, which has no path twice."""
    return [*_bad_names(paths), *_collisions(paths)]


def _bad_names(paths: Collection[str]) -> list[Problem]:
    # One test for thousands of names, which are nearly always fine.
    if is_portable("".join(paths)):
        return []
    return [
        Problem(
            "file-name",
            f"{path!r} is not a valid file name in an artifact: Triton reads ASCII names only, and "
            "control characters and backslashes mean different things on other systems",
            file=path,
            hint=f"rename it, or leave it out by a line in {IGNORE_FILE}",
        )
        for path in sorted(paths)
        if not is_portable(path)
    ]


def is_portable(text: str) -> bool:
    """Return whether text has only characters that a name in an artifact may have."""
    return text.isascii() and text.isprintable() and "\\" not in text


def _collisions(paths: Collection[str]) -> Iterator[Problem]:
    """Find names that differ in case alone. (In Unicode form, none do: they have to be ASCII.)"""
    folders = _folders(paths)
    if len({name.lower() for name in (*paths, *folders)}) == len(paths) + len(folders):
        return
    taken: dict[str, str] = {}
    for name in (*sorted(paths), *sorted(folders)):
        other = taken.get(name.lower())
        if other is None:
            taken[name.lower()] = name
        else:
            yield _both(name) if other == name else _collision(other, name)


def _collision(one: str, other: str) -> Problem:
    message = f"{one} and {other} are one name on macOS and Windows"
    return Problem("file-collision", message, file=other, hint="rename one of them")


def _both(name: str) -> Problem:
    return Problem(
        "overlap",
        f"{name} would be a file and a folder in the artifact",
        file=name,
        hint=f"rename one of them, or leave yours out by a line in {IGNORE_FILE}",
    )


def _folders(paths: Iterable[str]) -> set[str]:
    folders: set[str] = set()
    while paths := {path.rpartition("/")[0] for path in paths} - {""}:
        folders |= paths
    return folders
