"""Files compressed by python-isal, in blocks, on every processor; kept in the user's cache.

Deflate has many encodings of the same bytes, so a compressed zip depends on the encoder, and its
digest names the encoder's version. Where the encoder is another, so are the bytes.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from clarifai_build.artifact.artifact import Artifact, stored
from clarifai_build.artifact.formats import zip_format
from clarifai_build.artifact.segments import Content, Span, read_span
from clarifai_build.artifact.tree import Entry, FileTree
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.digests.cache import NO_CACHE, DigestCache
from clarifai_build.digests.files import Digest, of_bytes
from clarifai_build.errors import ArtifactError, SourceError, cannot_write
from clarifai_build.progress import ProgressCallback, Tally, no_progress
from clarifai_build.source.content_checks import NO_RULES
from clarifai_build.source.source_file import FileStat, SourceFile
from clarifai_build.util import cache_dir
from clarifai_build.util.atomic_file import open_partial, remove_abandoned
from clarifai_build.util.processes.scratch_folder import ScratchFolder

if TYPE_CHECKING:
    from concurrent.futures import Executor

# These three decide the bytes: others need another number in the name of the encoder.
_LEVEL = 1
_BLOCK = 1 << 20
# A deflate stream without zlib's header and checksum, as zips hold it; a window of 32 KiB.
_RAW = -15
# Blocks of a file under way: enough for eight processors. Each is in memory until its turn.
_AHEAD = 8


def deflated(
    tree: FileTree,
    progress: ProgressCallback = no_progress,
    cache: DigestCache = NO_CACHE,
    folder: Path | None = None,
    *,
    cancel: CancelToken = NEVER,
) -> Artifact:
    """Return the zip of a tree with each file compressed, unless that makes it no smaller.

    Compressed files are kept in `folder`, or else for as long as the artifact is.
    """
    from concurrent.futures import ThreadPoolExecutor

    kept, scratch = _place(folder, _isal().__version__)
    tally = Tally("deflate", sum(entry.size for entry in tree.entries), progress)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = _Files(kept, pool, tally, cancel)
        found = made.of(tree, cache)
        contents = tuple(_content(entry, found, made) for entry in tree.entries)
    return Artifact(tree, contents, encoder(), scratch)


def encoder() -> str:
    """Return the name of what compresses, and of its version; raises ArtifactError without it."""
    return f"clarifai-build deflate 1 isal {_isal().__version__}"


def _place(folder: Path | None, version: str) -> tuple[Path, object]:
    """Return where compressed files are kept, and what has to live as long as they are needed."""
    if folder is not None:
        kept = folder / f"isal-{version}"
        with suppress(OSError):
            kept.mkdir(parents=True, exist_ok=True)
            os.listdir(kept)  # noqa: PTH208 - whether it may be read
            remove_abandoned(kept)
            return kept, None
    try:
        scratch = ScratchFolder()
    except OSError as exc:
        raise ArtifactError(cannot_write(tempfile.gettempdir(), exc)) from exc
    return Path(scratch.name), scratch


def _content(entry: Entry, found: Mapping[str, _File], files: _Files) -> Content:
    if entry.size < _BLOCK:
        data = b"".join(_compress(entry, files.pool, files.cancel))
        files.tally.add(entry.size)
        if len(data) >= entry.size:
            return stored(entry)
        return Content(zip_format.DEFLATED, data, 0, len(data), of_bytes(data).chunks, None)
    file, digest = found[entry.sha256]
    size = file.stamp.size
    if size >= entry.size:
        return stored(entry)
    return Content(zip_format.DEFLATED, file.file, 0, size, digest.chunks, file.stamp)


_File = tuple[SourceFile, Digest]


class _Files(NamedTuple):
    """Compressed files, each named by the SHA-256 of its content and that of itself."""

    folder: Path
    pool: Executor
    tally: Tally
    cancel: CancelToken

    def of(self, tree: FileTree, cache: DigestCache) -> dict[str, _File]:
        """Return the compressed file of each large content, by its SHA-256.

        Corrupt cache files are recreated.
        """
        large = {entry.sha256: entry for entry in tree.entries if entry.size >= _BLOCK}
        # Sorted, so that of two files for one content every run takes the same.
        there = {
            file.name.partition("-")[0]: file.name
            for file in sorted(self.folder.iterdir())
            if not cache_dir.is_mark(file)
        }
        names = {sha256: there.get(sha256) or self.make(e) for sha256, e in large.items()}
        found = {sha256: self.find(name) for sha256, name in names.items()}
        sums = _digests(list(found.values()), cache, str(self.folder))
        files = {sha256: (file, sums[file.file]) for sha256, file in found.items()}
        for file in found.values():
            cache_dir.mark_used(Path(file.file))
        for sha256, (file, digest) in files.items():
            if not file.file.endswith(f"-{digest.sha256}"):
                Path(file.file).unlink(missing_ok=True)
                again = self.find(self.make(large[sha256]))
                files[sha256] = (again, _digests([again])[again.file])
        return files

    def find(self, name: str) -> SourceFile:
        file = self.folder / name
        try:
            return SourceFile(name, str(file), FileStat.of(file.stat()), executable=False)
        except OSError as exc:
            raise ArtifactError(cannot_write(self.folder, exc)) from exc

    def make(self, entry: Entry) -> str:
        """Write the compressed content, and rename it when it is complete."""
        sha256 = hashlib.sha256()
        try:
            partial, descriptor = open_partial(self.folder / entry.sha256, 0o600)
            try:
                with os.fdopen(descriptor, "wb") as stream:
                    for block in _compress(entry, self.pool, self.cancel):
                        sha256.update(block)
                        stream.write(block)
                    os.fsync(stream.fileno())
                name = f"{entry.sha256}-{sha256.hexdigest()}"
                partial.replace(self.folder / name)
            finally:
                partial.unlink(missing_ok=True)
        except OSError as exc:
            raise ArtifactError(cannot_write(self.folder, exc)) from exc
        self.tally.add(entry.size)
        return name


def _digests(
    files: list[SourceFile], cache: DigestCache = NO_CACHE, tree: str = ""
) -> dict[str, Digest]:
    """Digest compressed files; a scan for secrets would find nothing in them."""
    facts = cache._replace(rules=NO_RULES).of_files(tree, files)
    if facts.problems:
        raise SourceError(*facts.problems)
    return facts.digests


def _compress(entry: Entry, pool: Executor, cancel: CancelToken) -> Iterator[bytes]:
    """Yield a deflate stream: blocks that end on a byte, compressed side by side."""
    waiting: list[Any] = []
    for block, last in _blocks(entry):
        cancel.check()
        waiting.append(pool.submit(partial(_compress_block, block, last=last)))
        if len(waiting) > _AHEAD:
            yield waiting.pop(0).result()
    yield from (future.result() for future in waiting)


def _compress_block(block: bytes, *, last: bool) -> bytes:
    isal_zlib = _isal().isal_zlib
    encoder = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _RAW)
    # A flush ends on a byte, so that the next block can follow from another encoder.
    end = isal_zlib.Z_FINISH if last else isal_zlib.Z_FULL_FLUSH
    packed: bytes = encoder.compress(block) + encoder.flush(end)
    return packed


def _blocks(entry: Entry) -> Iterator[tuple[bytes, bool]]:
    # At least one block: the stream of an empty file needs its end, too.
    for start in range(0, max(entry.size, 1), _BLOCK):
        length = min(_BLOCK, entry.size - start)
        block = b"".join(read_span(Span(entry.source, start, length, entry.stamp)))
        yield block, start + length >= entry.size


def _isal() -> Any:
    try:
        import isal
        import isal.isal_zlib
    except ImportError as exc:
        raise ArtifactError.of(
            "deflate-missing",
            "compression: deflate needs python-isal, which is not installed",
            hint="pip install 'clarifai-build[deflate]', or remove `compression` from the manifest",
        ) from exc
    return isal
