"""The file tree of an artifact: generated files, the user's and weights, each with its digests.

The tree's digest is the identity of the artifact; docs/reference/artifact.md defines it.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from clarifai_build import digests
from clarifai_build.ignore import IGNORE_FILE, Rules
from clarifai_build.manifest import Manifest
from clarifai_build.problem import Problem, SourceError
from clarifai_build.progress import Event, Listener, silent
from clarifai_build.walk import Found, Left, Stamp, Walk, walk

FORMAT = "clarifai-build tree 1"
CODE = "1/"
_LAID_IN_PLACE_OF_GENERATED = frozenset({"1/__init__.py", "1/inference.py", "1/test.py"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the artifact. `chunks` are the CRC-32s of each `digests.CHUNK` bytes of it.

    `source` is the content or the file that holds it; `stamp` is how that file looked when its
    digests were taken.
    """

    path: str
    mode: int
    size: int
    sha256: str
    chunks: tuple[int, ...]
    source: Path | bytes
    stamp: Stamp | None = None

    @property
    def crc32(self) -> int:
        """The CRC-32 of the content."""
        return digests.Digest(self.size, self.sha256, self.chunks).crc32


@dataclass(frozen=True, slots=True)
class FileTree:
    """The files of an artifact, sorted by path."""

    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> FileTree:
        """Sort the entries, and refuse names that can't stand side by side on every file system."""
        ordered = tuple(sorted(entries, key=lambda entry: entry.path))
        if problems := [*_bad_names(ordered), *_collisions(ordered)]:
            raise SourceError(*problems)
        return cls(ordered)

    @property
    def digest(self) -> str:
        """SHA-256 over the format and each file's mode, size, SHA-256 and path, as hex."""
        lines = [f"{e.mode:04o} {e.size} {e.sha256} {e.path}\n" for e in self.entries]
        return hashlib.sha256((FORMAT + "\n" + "".join(lines)).encode()).hexdigest()


def lay_out(
    generated: Mapping[str, bytes], manifest: Manifest, listen: Listener = silent
) -> FileTree:
    """Lay the user's files and weights over the generated files, and take every digest."""
    from clarifai_build import weights

    listen(Event("tree", "started"))
    found = look_around(manifest)
    fetched = {CODE + weight.to: file for weight, file in weights.fetch(manifest, listen).items()}
    sources = {CODE + file.path: file for file in found.files}
    _refuse_overlaps(generated, sources, fetched)
    entries = [_generated(path, data) for path, data in generated.items() if path not in sources]
    entries += [_of_file(path, file) for path, file in {**sources, **fetched}.items()]
    tree = FileTree.of(entries)
    listen(Event("tree", "done", f"{len(tree.entries)} files"))
    return tree


def look_around(manifest: Manifest) -> Walk:
    """Walk the user's folder: what goes in, and what stays out and why."""
    folder = manifest.code.path
    rules = Rules.of(folder, manifest.code.exclude, _laid_elsewhere(manifest))
    return walk(folder, rules)


def _laid_elsewhere(manifest: Manifest) -> dict[str, str]:
    """Paths below the user's folder that are no part of the code, and what they are."""
    beside = manifest.path.parent
    model = manifest.model
    elsewhere = {
        manifest.path: "the manifest",
        beside / "clarifai.lock": "the lock",
        beside / "dist": "built artifacts",
        beside / f"{model.id}_{model.type}.zip": "a built artifact",
        manifest.code.path / IGNORE_FILE: "ignore rules",
    }
    if isinstance(model.labels, Path):
        elsewhere[model.labels] = "laid at the root as labels.txt"
    if manifest.code.requirements is not None:
        elsewhere[manifest.code.requirements] = "laid at the root as requirements.txt"
    for weight in manifest.weights:
        if "://" not in weight.source:
            elsewhere[beside / weight.source] = f"a weight, laid at {weight.to}"
    root = manifest.code.path.absolute()
    return {
        os.path.relpath(path, root).replace(os.sep, "/"): reason
        for path, reason in elsewhere.items()
    }


def _refuse_overlaps(
    generated: Mapping[str, bytes], sources: Mapping[str, Found], fetched: Mapping[str, Found]
) -> None:
    problems = []
    for path, file in sources.items():
        if path in fetched:
            problems.append(_overlap(path, file.file, f"the weight {file.path}"))
        elif path == "1/model.py" and _is_triton_model(file.file):
            continue
        elif _is_reserved(path, generated):
            problems.append(_overlap(path, file.file, "a file that the builder writes"))
    problems += [
        _overlap(path, file.file, "a file that the builder writes")
        for path, file in fetched.items()
        if path in generated or path.startswith("1/clarifai_runtime/")
    ]
    if problems:
        raise SourceError(*problems)


def _is_reserved(path: str, generated: Mapping[str, bytes]) -> bool:
    if path.startswith("1/clarifai_runtime/"):
        return True
    return path in generated and path not in _LAID_IN_PLACE_OF_GENERATED


def _is_triton_model(file: str) -> bool:
    return b"class TritonPythonModel" in Path(file).read_bytes()


def _overlap(path: str, file: str, other: str) -> Problem:
    return Problem(
        "overlap",
        f"{file} would land at {path} in the artifact, where {other} lies.",
        file=file,
        hint="Rename it, or leave it out by a line in .clarifaiignore.",
    )


def _generated(path: str, data: bytes) -> Entry:
    digest = digests.of_bytes(data)
    return Entry(path, 0o644, digest.size, digest.sha256, digest.chunks, data)


def _of_file(path: str, found: Found) -> Entry:
    with Path(found.file).open("rb") as stream:
        digest = digests.of_stream(stream)
        after = Stamp.of(os.fstat(stream.fileno()))
    if after != found.stamp:
        raise SourceError.of("changed", f"{found.path} changed while it was read.", file=found.path)
    mode = 0o755 if found.executable else 0o644
    source = Path(found.file)
    return Entry(path, mode, digest.size, digest.sha256, digest.chunks, source, found.stamp)


def _bad_names(entries: Iterable[Entry]) -> list[Problem]:
    return [
        Problem(
            "name",
            f"{entry.path!r} can't be served: Triton reads ASCII file names only, "
            "and control characters and backslashes mean different things elsewhere.",
            file=entry.path,
            hint="Rename it, or leave it out by a line in .clarifaiignore.",
        )
        for entry in entries
        if not entry.path.isascii() or not entry.path.isprintable() or "\\" in entry.path
    ]


def _collisions(entries: Iterable[Entry]) -> list[Problem]:
    """Two names that are one where case or Unicode form does not count, or a file under a file."""
    taken: dict[str, str] = {}
    problems = []
    for entry in entries:
        key = unicodedata.normalize("NFC", entry.path).casefold()
        if (other := taken.setdefault(key, entry.path)) is not entry.path:
            problems.append(
                Problem(
                    "collision",
                    f"{other} and {entry.path} are one name on macOS and Windows.",
                    file=entry.path,
                    hint="Rename one of them.",
                )
            )
    return problems


__all__ = ["Entry", "FileTree", "Left", "lay_out", "look_around"]
