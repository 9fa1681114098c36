"""Files compressed by python-isal, in blocks, on every processor; kept in the user's cache.

Deflate has many encodings of the same bytes, so a compressed zip depends on the encoder, and its
digest names the encoder's version. Where the encoder is another, so are the bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarifai_build import digests, user_cache, zip_format
from clarifai_build.archive import Artifact, Content, Span, read_span, stored
from clarifai_build.problem import ArtifactError
from clarifai_build.progress import Event, Listener, silent
from clarifai_build.tree import Entry, FileTree
from clarifai_build.walk import Stamp

if TYPE_CHECKING:
    from concurrent.futures import Executor

_LEVEL = 1
_BLOCK = 1 << 20
_RAW = -15
_AHEAD = 8


def deflated(tree: FileTree, listen: Listener = silent, folder: Path | None = None) -> Artifact:
    """Return the zip of a tree with each file compressed, unless that makes it no smaller."""
    from concurrent.futures import ThreadPoolExecutor

    isal = _isal()
    encoder = f"clarifai-build deflate 1 isal {isal.__version__}"
    kept = (folder or user_cache.deflated_folder()) / f"isal-{isal.__version__}"
    kept.mkdir(parents=True, exist_ok=True)
    contents = []
    total = sum(entry.size for entry in tree.entries)
    done = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for entry in tree.entries:
            contents.append(_content(entry, kept, pool))
            done += entry.size
            listen(Event("deflate", "running", done=done, total=total))
    return Artifact(tree, tuple(contents), encoder)


def _content(entry: Entry, kept: Path, pool: Executor) -> Content:
    if entry.size < _BLOCK:
        data = b"".join(_compress(entry, pool))
        if len(data) >= entry.size:
            return stored(entry)
        chunks = digests.of_bytes(data).chunks
        return Content(zip_format.DEFLATED, data, 0, len(data), chunks, None)
    file = kept / entry.sha256
    if not file.is_file():
        _keep(entry, file, pool)
    status = file.stat()
    if status.st_size >= entry.size:
        return stored(entry)
    stamp = Stamp.of(status)
    return Content(zip_format.DEFLATED, str(file), 0, status.st_size, (), stamp)


def _keep(entry: Entry, file: Path, pool: Executor) -> None:
    """Write the compressed content beside `file`, and move it there when it is whole."""
    import tempfile

    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.writelines(_compress(entry, pool))
            Path(name).replace(file)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as exc:
        raise ArtifactError.of(
            "unwritable", f"{file.parent} can't be written: {exc.strerror}", file=str(file.parent)
        ) from exc


def _compress(entry: Entry, pool: Executor) -> Iterator[bytes]:
    """Yield a deflate stream: blocks that end on a byte, compressed side by side."""
    waiting: list[Any] = []
    for block, last in _blocks(entry):
        waiting.append(pool.submit(partial(_compress_block, block, last=last)))
        if len(waiting) > _AHEAD:
            yield waiting.pop(0).result()
    yield from (future.result() for future in waiting)


def _compress_block(block: bytes, *, last: bool) -> bytes:
    isal_zlib = _isal().isal_zlib
    encoder = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _RAW)
    end = isal_zlib.Z_FINISH if last else isal_zlib.Z_FULL_FLUSH
    packed: bytes = encoder.compress(block) + encoder.flush(end)
    return packed


def _blocks(entry: Entry) -> Iterator[tuple[bytes, bool]]:
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
