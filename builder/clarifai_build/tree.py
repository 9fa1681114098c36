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
from clarifai_build.digests import Digest, Inspect
from clarifai_build.file_names import name_problems
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
        if problems := name_problems(paths):
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
    layout = gather(generated, manifest, listen)
    found = cache.of_files(cache_key(manifest), layout.found, listen, inspector(manifest))
    tree = complete(layout, found, manifest)
    listen(Event("tree", "done", f"{len(tree.entries)} files"))
    return tree


class Layout(NamedTuple):
    """Which files go where, before their content is looked at."""

    generated: Mapping[str, bytes]
    files: Mapping[str, Found]

    @property
    def found(self) -> list[Found]:
        """The files that are read."""
        return list(self.files.values())


def gather(generated: Mapping[str, bytes], manifest: Manifest, listen: Listener) -> Layout:
    """Find the user's files and the weights, and refuse those that stand in each other's way."""
    sources = {CODE + file.path: file for file in look_around(manifest).files}
    fetched = _weights(manifest, listen)
    _refuse_overlaps(generated, sources, fetched)
    written = {path: data for path, data in generated.items() if path not in sources}
    return Layout(written, {**sources, **fetched})


def complete(layout: Layout, found: Mapping[str, Digest], manifest: Manifest) -> FileTree:
    """Make the tree, with the digests of the files; a weight that is another is refused."""
    if manifest.weights:
        from clarifai_build import weights

        taken = [found[layout.files[CODE + weight.to].file] for weight in manifest.weights]
        weights.refuse_mismatches(manifest.weights, taken)
    return assemble(layout, found)


def assemble(layout: Layout, found: Mapping[str, Digest]) -> FileTree:
    """Put the entries of generated files and found ones together."""
    entries = [_generated(path, data) for path, data in layout.generated.items()]
    entries += [_of_file(path, file, found[file.file]) for path, file in layout.files.items()]
    return FileTree.of(entries)


def cache_key(manifest: Manifest) -> str:
    """Return what digests are kept under: a leave that is withdrawn has files looked at again."""
    return "\n".join((str(manifest.path), *manifest.code.allow_secrets))


def inspector(manifest: Manifest) -> Inspect:
    """Return what looks at each file that is read, but for those that the manifest allows."""
    allowed = frozenset(manifest.code.allow_secrets)

    def inspect(file: Found, content: bytes) -> Problem | None:
        from clarifai_build.suspects import suspicion

        return None if file.path in allowed else suspicion(file, content)

    return inspect


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
