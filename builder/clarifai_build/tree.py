"""The file tree of an artifact: generated files, the user's and weights, each with its digests.

The tree's digest is the identity of the artifact; docs/reference/artifact.md defines it.
"""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from clarifai_build import digests
from clarifai_build.digest_cache import NO_CACHE, DigestCache
from clarifai_build.digests import Digest
from clarifai_build.ignore import IGNORE_FILE, Rules
from clarifai_build.problem import Problem, SourceError
from clarifai_build.progress import Event, Listener, silent
from clarifai_build.walk import Found, Left, Stamp, Walk, walk

if TYPE_CHECKING:
    from clarifai_build.manifest import Manifest

FORMAT = "clarifai-build tree 1"
CODE = "1/"
_RUNTIME = "1/clarifai_runtime/"
_MEANT_TO_BE_REPLACED = frozenset({"1/__init__.py", "1/inference.py", "1/test.py"})


class Entry(NamedTuple):
    """One file of the artifact. `chunks` are the CRC-32s of each `digests.CHUNK` bytes of it.

    `source` is the content, or the path of the file that holds it (as text: thousands of `Path`s
    take longer to make than their files to look at); `stamp` is how that file looked when its
    digests were taken.
    """

    path: str
    mode: int
    size: int
    sha256: str
    chunks: tuple[int, ...]
    source: str | bytes
    stamp: Stamp | None = None

    @property
    def crc32(self) -> int:
        """The CRC-32 of the content."""
        return digests.crc32(self.size, self.chunks)


@dataclass(frozen=True, slots=True)
class FileTree:
    """The files of an artifact, sorted by path."""

    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> FileTree:
        """Sort the entries, and refuse names that can't stand side by side on every file system."""
        ordered = tuple(sorted(entries, key=attrgetter("path")))
        paths = [entry.path for entry in ordered]
        if problems := [*_bad_names(paths), *_collisions(paths)]:
            raise SourceError(*problems)
        return cls(ordered)

    @property
    def digest(self) -> str:
        """SHA-256 over the format and each file's mode, size, SHA-256 and path, as hex."""
        lines = [f"{e.mode:04o} {e.size} {e.sha256} {e.path}\n" for e in self.entries]
        return hashlib.sha256((FORMAT + "\n" + "".join(lines)).encode()).hexdigest()


def lay_out(
    generated: Mapping[str, bytes],
    manifest: Manifest,
    listen: Listener = silent,
    cache: DigestCache = NO_CACHE,
) -> FileTree:
    """Lay the user's files and weights over the generated files, and take every digest."""
    with _no_garbage():
        return _lay_out(generated, manifest, listen, cache)


def _lay_out(
    generated: Mapping[str, bytes], manifest: Manifest, listen: Listener, cache: DigestCache
) -> FileTree:
    listen(Event("tree", "started"))
    sources = {CODE + file.path: file for file in look_around(manifest).files}
    fetched = _weights(manifest, listen)
    _refuse_overlaps(generated, sources, fetched)
    files = {**sources, **fetched}
    found = _digests(files, manifest, listen, cache)
    _refuse_wrong_weights(manifest, found)
    entries = [_generated(path, data) for path, data in generated.items() if path not in sources]
    entries += [_of_file(path, file, found[path]) for path, file in files.items()]
    tree = FileTree.of(entries)
    listen(Event("tree", "done", f"{len(tree.entries)} files"))
    return tree


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Keep Python from looking for garbage among the tuples of thousands of files."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def look_around(manifest: Manifest) -> Walk:
    """Walk the user's folder: what goes in, and what stays out and why."""
    folder = manifest.code.path
    rules = Rules.of(folder, manifest.code.exclude, _laid_elsewhere(manifest))
    files, left = walk(folder, rules)
    pulled = _pulled_by_dvc(files)
    left += [Left(f.path, f.file, "data version control") for f in pulled]
    return Walk([f for f in files if f not in pulled] if pulled else files, left)


def _pulled_by_dvc(files: Sequence[Found]) -> list[Found]:
    """Return the `.dvc` files whose data is there, which say nothing to a server."""
    pointers = [file for file in files if file.path.endswith(".dvc")]
    present = {file.path for file in files} if pointers else frozenset()
    return [file for file in pointers if file.path.removesuffix(".dvc") in present]


def _laid_elsewhere(manifest: Manifest) -> dict[str, str]:
    """Paths below the user's folder that are no part of the code, and what they are."""
    beside = manifest.path.parent
    model = manifest.model
    elsewhere = {
        manifest.path: "the manifest",
        manifest.path.with_suffix(".lock"): "the lock",
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


def _weights(manifest: Manifest, listen: Listener) -> dict[str, Found]:
    if not manifest.weights:
        return {}
    from clarifai_build import weights

    return {CODE + file.path: file for file in weights.locate(manifest, listen)}


def _refuse_wrong_weights(manifest: Manifest, found: Mapping[str, Digest]) -> None:
    if manifest.weights:
        from clarifai_build import weights

        taken = [found[CODE + weight.to] for weight in manifest.weights]
        weights.refuse_mismatches(manifest.weights, taken)


def _digests(
    files: Mapping[str, Found], manifest: Manifest, listen: Listener, cache: DigestCache
) -> dict[str, Digest]:
    """Digest the files. One that may hold a secret is always read: the leave may be withdrawn."""
    allowed = {CODE + path for path in manifest.code.allow_secrets} & files.keys()
    others = [path for path in files if path not in allowed]
    found = cache.of_files(str(manifest.path), [files[path] for path in others], listen, _suspicion)
    found += digests.of_files([files[path] for path in allowed])
    return dict(zip([*others, *allowed], found, strict=True))


def _suspicion(file: Found, content: bytes) -> Problem | None:
    from clarifai_build.suspects import suspicion

    return suspicion(file, content)


def _refuse_overlaps(
    generated: Mapping[str, bytes], sources: Mapping[str, Found], fetched: Mapping[str, Found]
) -> None:
    problems = [
        _overlap(path, sources[path].file, f"the weight {fetched[path].path}")
        for path in sources.keys() & fetched.keys()
    ]
    for files in (sources, fetched):
        taken = files.keys() & generated.keys()
        taken |= {path for path in files if path.startswith(_RUNTIME)}
        for path in sorted(taken):
            if files is sources and _may_replace(path, files[path].file):
                continue
            problems.append(_overlap(path, files[path].file, "a file that the builder writes"))
    if problems:
        raise SourceError(*problems)


def _may_replace(path: str, file: str) -> bool:
    """Tell whether a user's file stands in for the generated one of its name."""
    return path in _MEANT_TO_BE_REPLACED or (path == "1/model.py" and _is_triton_model(file))


def _is_triton_model(file: str) -> bool:
    return b"class TritonPythonModel" in Path(file).read_bytes()


def _overlap(path: str, file: str, other: str) -> Problem:
    return Problem(
        "overlap",
        f"{file} would land at {path} in the artifact, where {other} lies",
        file=file,
        hint=f"rename it, or leave it out by a line in {IGNORE_FILE}",
    )


def _generated(path: str, data: bytes) -> Entry:
    digest = digests.of_bytes(data)
    return Entry(path, 0o644, len(data), digest.sha256, digest.chunks, data)


def _of_file(path: str, found: Found, digest: Digest) -> Entry:
    mode = 0o755 if found.executable else 0o644
    stamp = found.stamp
    return Entry(path, mode, stamp.size, digest.sha256, digest.chunks, found.file, stamp)


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
