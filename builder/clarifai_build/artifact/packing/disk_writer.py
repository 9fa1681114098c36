"""Blocks of a zip to a file: past the page cache where that can be, else through it."""

from __future__ import annotations

import errno
import os
from functools import partial

from clarifai_build.artifact.packing.block_stream import BLOCK, WORTH_THREADS, Block, BlockConsumer

_CANT_RESERVE = frozenset({errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.EBADF})
# Bytes. By then the disk has most of it: DONTNEED starts on dirty pages, and drops only clean ones.
_BEHIND = 64 << 20
# Direct writes take whole logical blocks of the disk, which are mostly 512 bytes or a page.
_PAGE = 4096
_SHARES = 3  # so many blocks are under way: a disk that has to wait for the next is half as fast


def writers(descriptor: int, size: int) -> list[BlockConsumer]:
    """Return the consumers that write a file of `size` bytes: one, or several that share blocks.

    Past the page cache, since the copy into it takes as long as the disk does, and takes processors
    from what sums the blocks; a mount that refuses direct writes is written to through it. Where
    space can't be reserved, one consumer writes in order, since some mounts take nothing else.

    Not by copy_file_range or sendfile: content does not lie in a zip as it lies in the pages of its
    source, and then the kernel copies page by page, which takes half as long again.
    """
    if size < WORTH_THREADS:
        return [buffered_writer(descriptor)]
    shares = _SHARES if _reserve(descriptor, size) else 1
    if not _set_direct(descriptor, on=True):
        return [buffered_writer(descriptor)]
    return [partial(_write_share, descriptor, (share, shares)) for share in range(shares)]


def buffered_writer(descriptor: int) -> BlockConsumer:
    """Return what writes block after block through the page cache."""

    def write(block: Block) -> None:
        done = 0
        while done < len(block.data):
            done += os.write(descriptor, block.data[done:])
        _start_writing_back(descriptor, block.offset, done)

    return write


def _write_share(descriptor: int, share: tuple[int, int], block: Block) -> None:
    number, of = share
    if block.offset // BLOCK % of != number:
        return
    if len(block.data) % _PAGE:  # the last one
        _set_direct(descriptor, on=False)
    try:
        _write_at(descriptor, block)
    except OSError as exc:
        # Some file systems take the flag, and refuse the write.
        if exc.errno != errno.EINVAL:
            raise
        _set_direct(descriptor, on=False)
        _write_at(descriptor, block)


def _write_at(descriptor: int, block: Block) -> None:
    done = 0
    while done < len(block.data):
        done += os.pwrite(descriptor, block.data[done:], block.offset + done)


def _reserve(descriptor: int, size: int) -> bool:
    """Reserve the space of a large file: a full disk is found out before an hour's copying.

    Say whether the file system can. Where it can't (FUSE, NFS), glibc would write a byte a block,
    which takes longer than the zip. It refuses to do that (EBADF) to a file opened for appending.
    """
    if not hasattr(os, "posix_fallocate"):
        return False
    _set_flag(descriptor, os.O_APPEND, on=True)
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as exc:
        if exc.errno not in _CANT_RESERVE:
            raise
        return False
    else:
        return True
    finally:
        _set_flag(descriptor, os.O_APPEND, on=False)


def _set_direct(descriptor: int, *, on: bool) -> bool:
    """Turn direct writes on or off; say whether the file system knows them."""
    if not hasattr(os, "O_DIRECT"):
        return False
    try:
        _set_flag(descriptor, os.O_DIRECT, on=on)
    except OSError:
        return False
    return True


def _set_flag(descriptor: int, flag: int, *, on: bool) -> None:
    import fcntl

    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | flag if on else flags & ~flag)


def _start_writing_back(descriptor: int, offset: int, count: int) -> None:
    """Let the disk begin while the copy goes on, so that the fsync at the end has little to do.

    Pages that were written by now are given back, and are used again for what comes: a zip takes no
    more of the page cache than the disk is behind.
    """
    if hasattr(os, "posix_fadvise"):
        begin = max(0, offset - _BEHIND)
        os.posix_fadvise(descriptor, begin, offset + count - begin, os.POSIX_FADV_DONTNEED)
