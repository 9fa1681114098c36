"""The file tree of an artifact: generated files, the user's and weights, each with its digests.

The tree's digest is the identity of the artifact; docs/reference/artifact.md defines it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from clarifai_build.artifact.layout import Layout, gather
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.digests import files
from clarifai_build.digests.cache import NO_CACHE, DigestCache
from clarifai_build.digests.files import Digest, FileFacts
from clarifai_build.digests.plan import DigestPlan
from clarifai_build.errors import SourceError
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.repository_layout import CODE
from clarifai_build.source.content_checks import POINTER
from clarifai_build.source.portable_names import name_problems
from clarifai_build.source.source_file import FileStat

if TYPE_CHECKING:
    from pathlib import Path

    from clarifai_build.artifact.absent import Absent
    from clarifai_build.artifact.absent_files import AbsentFile
    from clarifai_build.digests.known import KnownContents
    from clarifai_build.manifest.types import Manifest

# The first line of what is hashed: another one gives every artifact another address.
FORMAT = "clarifai-build tree 1"
_AT_ONCE = 4096  # files
# Only the executable bit of the owner counts: the others follow the umask.
_MODES = {0o644: "0644", 0o755: "0755"}


class Entry(NamedTuple):
    """One file of the artifact. `chunks` are the CRC-32s of each `CHUNK` bytes of it.

    `source` is the content, or the path of the file that holds it (as text: thousands of `Path`s
    take longer to make than their files to stat), or what is known of it where it is not on this
    machine; `stamp` is how that file looked when its digests were taken.
    """

    path: str
    mode: int
    size: int
    sha256: str
    chunks: tuple[int, ...]
    source: str | bytes | Absent
    stamp: FileStat | None = None

    @property
    def lacks_sums(self) -> bool:
        """Whether the CRC-32s are not known: of absent content, they may not be."""
        return not self.chunks and self.size > 0

    @property
    def crc32(self) -> int:
        """The CRC-32 of the content; raises SourceError where that is not known."""
        if self.lacks_sums and not isinstance(self.source, (str, bytes)):
            raise self.source.error()
        return files.crc32(self.size, self.chunks)


class FileTree(NamedTuple):
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
        digest = hashlib.sha256(f"{FORMAT}\n".encode())
        # Some at a time: neither text of all of them, nor a call for each.
        for at in range(0, len(self.entries), _AT_ONCE):
            lines = [
                f"{_MODES[mode]} {size} {sha256} {path}\n"
                for path, mode, size, sha256, _, _, _ in self.entries[at : at + _AT_ONCE]
            ]
            digest.update("".join(lines).encode())
        return digest.hexdigest()


def make_tree(
    generated: Mapping[str, bytes],
    manifest: Manifest,
    progress: ProgressCallback = no_progress,
    cache: DigestCache = NO_CACHE,
    output: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    known: KnownContents | None = None,
    *,
    cancel: CancelToken = NEVER,
) -> FileTree:
    """Lay the user's files and weights over the generated files, and take every digest.

    `output` is the zip that is about to be written, which stays out. With `known`, content that is
    not on this machine may be absent: weights of which that tells the size, and what Git LFS has
    not pulled.
    """
    layout = collect(generated, manifest, progress, output, environ, known, cancel=cancel)
    plan = cache.plan(layout.manifest_path, layout.found)
    return digest_files(layout, plan, progress, cache, cancel=cancel)


def collect(
    generated: Mapping[str, bytes],
    manifest: Manifest,
    progress: ProgressCallback = no_progress,
    output: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    known: KnownContents | None = None,
    *,
    cancel: CancelToken = NEVER,
) -> Layout:
    """Find what goes in; weights that are not there, nor `known`, are fetched as `environ` says."""
    cancel.check()
    progress(Event("tree", "started"))
    layout = gather(generated, manifest, output)._replace(known=known)
    if not manifest.weights:
        return layout
    # Imported where there are weights: most models with nothing to do need none of it.
    from clarifai_build.weights import locate as weights

    absent = weights.absent(manifest, known, environ) if known else {}
    located = weights.locate(manifest, progress, environ, absent, cancel=cancel)
    return layout.with_weights(located, absent)


def digest_files(
    layout: Layout,
    plan: DigestPlan,
    progress: ProgressCallback = no_progress,
    cache: DigestCache = NO_CACHE,
    *,
    cancel: CancelToken = NEVER,
) -> FileTree:
    """Take every digest that is not known of what was found, and make the tree."""
    tree = settle(layout, plan, plan.read(progress, cancel=cancel), cache)
    progress(Event("tree", "done", f"{len(tree.entries)} files"))
    return tree


def settle(layout: Layout, plan: DigestPlan, facts: FileFacts, cache: DigestCache) -> FileTree:
    """Keep what was read by a plan, refuse what it shows, and make the tree."""
    cache.keep(plan, facts)
    absent = _absent(layout, facts)
    refuse_findings(layout, facts, absent)
    _refuse_other_weights(layout, facts.digests, absent)
    return build_tree(layout, facts.digests, absent)


def _absent(layout: Layout, facts: FileFacts) -> Mapping[str, AbsentFile]:
    """Return what is not on this machine, by path: nothing, unless that may be."""
    if layout.known is None or not (layout.absent or POINTER in facts.findings.values()):
        return {}
    from clarifai_build.artifact.absent_files import absent_files

    return absent_files(layout, facts)


def refuse_findings(layout: Layout, facts: FileFacts, absent: Collection[str] = ()) -> None:
    """Raise SourceError for files that could not be read, or hold what should not be shipped.

    What is found at the paths of `absent` files is no fault of theirs.
    """
    if not (facts.findings or facts.problems):
        return
    judged = [
        layout.problem_of(file, facts.findings[file.file])
        for path, file in layout.files.items()
        if file.file in facts.findings and path not in absent
    ]
    if problems := [*facts.problems, *filter(None, judged)]:
        # A file may be laid at two places: its problem is reported once.
        raise SourceError(*dict.fromkeys(problems))


def _refuse_other_weights(
    layout: Layout, found: Mapping[str, Digest], absent: Mapping[str, AbsentFile]
) -> None:
    if not layout.weights:
        return
    from clarifai_build.weights import locate as weights

    paths = [CODE + weight.to for weight in layout.weights]
    taken = [
        absent[path].content.sha256 if path in absent else found[layout.files[path].file].sha256
        for path in paths
    ]
    weights.refuse_mismatches(layout.weights, taken)


def build_tree(
    layout: Layout, found: Mapping[str, Digest], absent: Mapping[str, AbsentFile] = {}
) -> FileTree:
    """Return the tree of generated, found and absent files; `gather` has checked their names."""
    entries = [_generated(path, data) for path, data in layout.generated.items()]
    entries += [
        Entry(path, 0o755 if executable else 0o644, stamp.size, *found[file], file, stamp)
        for path, (_, file, stamp, executable) in layout.files.items()
        if path not in absent
    ]
    for path, (mode, content, source) in absent.items():
        entries.append(Entry(path, mode, content.size, content.sha256, content.chunks, source))
    return FileTree(tuple(sorted(entries, key=attrgetter("path"))))


def _generated(path: str, data: bytes) -> Entry:
    digest = files.of_bytes(data)
    return Entry(path, 0o644, len(data), digest.sha256, digest.chunks, data)
