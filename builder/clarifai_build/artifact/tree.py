"""The file tree of an artifact: generated files, the user's and weights, each with its digests.

The tree's digest is the identity of the artifact; docs/reference/artifact.md defines it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from clarifai_build.artifact.layout import Layout, gather
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.digests import files
from clarifai_build.digests.cache import NO_CACHE, DigestCache
from clarifai_build.digests.files import Digest, FileFacts
from clarifai_build.digests.plan import DigestPlan
from clarifai_build.errors import Problem, SourceError
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.repository_layout import CODE
from clarifai_build.source.content_checks import content_problem
from clarifai_build.source.portable_names import name_problems
from clarifai_build.source.source_file import FileStat, SourceFile

if TYPE_CHECKING:
    from pathlib import Path

    from clarifai_build.artifact.absent import Absent
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
    def crc32(self) -> int:
        """The CRC-32 of the content; raises SourceError where an absent one's is not known."""
        if not self.chunks and self.size and not isinstance(self.source, (str, bytes)):
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
    *,
    cancel: CancelToken = NEVER,
) -> FileTree:
    """Lay the user's files and weights over the generated files, and take every digest.

    `output` is the zip that is about to be written, which stays out.
    """
    layout = collect(generated, manifest, progress, output, environ, cancel=cancel)
    plan = cache.plan(layout.manifest_path, layout.found)
    return digest_files(layout, plan, progress, cache, cancel=cancel)


def collect(
    generated: Mapping[str, bytes],
    manifest: Manifest,
    progress: ProgressCallback = no_progress,
    output: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    cancel: CancelToken = NEVER,
) -> Layout:
    """Find what goes in; weights that are not there yet are fetched, as `environ` says."""
    cancel.check()
    progress(Event("tree", "started"))
    layout = gather(generated, manifest, output)
    if not manifest.weights:
        return layout
    # Imported where there are weights: most models with nothing to do need none of it.
    from clarifai_build.weights import locate as weights

    return layout.with_weights(weights.locate(manifest, progress, environ, cancel=cancel))


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
    refuse_findings(layout, facts)
    _refuse_other_weights(layout, facts.digests)
    return build_tree(layout, facts.digests)


def refuse_findings(layout: Layout, facts: FileFacts) -> None:
    """Raise SourceError for files that could not be read, or hold what should not be shipped."""
    if not (facts.findings or facts.problems):
        return
    judged = [
        _judge(layout, file, facts.findings[file.file])
        for file in layout.found
        if file.file in facts.findings
    ]
    if problems := [*facts.problems, *filter(None, judged)]:
        # A file may be laid at two places: its problem is reported once.
        raise SourceError(*dict.fromkeys(problems))


def _judge(layout: Layout, file: SourceFile, finding: str) -> Problem | None:
    from clarifai_build.weights.content_checks import weight_problem

    if weight := layout.weight_at(file.path):
        base = os.path.dirname(layout.manifest_path)  # noqa: PTH120 - text, as all of a layout
        return weight_problem(weight, finding, file.file, layout.allow_secrets, base)
    return content_problem(finding, file.path, file.file, layout.allow_secrets)


def _refuse_other_weights(layout: Layout, found: Mapping[str, Digest]) -> None:
    if not layout.weights:
        return
    from clarifai_build.weights import locate as weights

    taken = [found[layout.files[CODE + weight.to].file] for weight in layout.weights]
    weights.refuse_mismatches(layout.weights, taken)


def build_tree(layout: Layout, found: Mapping[str, Digest]) -> FileTree:
    """Return the tree of generated and found files; `gather` has checked their names."""
    entries = [_generated(path, data) for path, data in layout.generated.items()]
    entries += [
        Entry(path, 0o755 if executable else 0o644, stamp.size, *found[file], file, stamp)
        for path, (_, file, stamp, executable) in layout.files.items()
    ]
    return FileTree(tuple(sorted(entries, key=attrgetter("path"))))


def _generated(path: str, data: bytes) -> Entry:
    digest = files.of_bytes(data)
    return Entry(path, 0o644, len(data), digest.sha256, digest.chunks, data)
