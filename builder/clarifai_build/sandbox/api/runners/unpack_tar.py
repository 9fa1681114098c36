"""Unpacks a tar.gz that may be hostile: no escapes, no links, no devices, no bombs."""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.errors import SandboxError
from clarifai_build.sandbox.api.archive_bounds import (
    MOST_ENTRIES,
    PIECE,
    fault_of_name,
    most_unpacked,
)

# What tarfile raises for content that is no tar: beside its own errors, those of numbers.
_DAMAGED = (tarfile.TarError, zlib.error, EOFError, ValueError, OverflowError, RuntimeError)


def unpack_tar(archive: Path, target: Path, cancel: CancelToken = NEVER) -> None:
    """Unpack the tar.gz `archive` into the new folder `target`, or refuse it as a whole."""
    most = _most_bytes(archive, target.parent)
    try:
        with (
            _Content(archive, most, cancel) as content,
            # Forward only: a tar of files alone is read from its first byte to its last.
            tarfile.open(fileobj=content, mode="r:") as opened,
        ):
            target.mkdir()
            _extract_all(opened, target)
            # The sum of the whole stands at the end of the stream.
            while content.read(PIECE):
                pass
    except SandboxError:
        raise
    except _DAMAGED as error:
        raise _refused(str(error) or "it is damaged") from error
    except OSError as error:
        named = f"{error.strerror}: {error.filename}" if error.strerror else str(error)
        raise _refused(named) from error


class _Content(gzip.GzipFile):
    """What the gzip holds: no more of it than is allowed, and no more at once than a piece.

    tarfile reads the extended headers of an entry as a whole, however long they say they are.
    """

    def __init__(self, archive: Path, most: int, cancel: CancelToken) -> None:
        super().__init__(archive, "rb")
        self._left = most
        self._most = most
        self._cancel = cancel

    def read(self, size: int | None = -1) -> bytes:
        self._cancel.check()
        if size is None or not 0 <= size <= PIECE:
            raise _refused("a header of it has over a MiB")
        content = super().read(size)
        self._left -= len(content)
        if self._left < 0:
            raise _refused(f"it unpacks to over {self._most} bytes")
        return content


def _most_bytes(archive: Path, where: Path) -> int:
    return min(most_unpacked(archive.stat().st_size), shutil.disk_usage(where).free)


def _extract_all(opened: tarfile.TarFile, target: Path) -> None:
    seen: set[PurePosixPath] = set()
    count = 0
    while (member := opened.next()) is not None:
        # Else every entry is kept in memory.
        opened.members.clear()  # type: ignore[attr-defined]  # the stubs leave it out
        count += 1
        if count > MOST_ENTRIES:
            raise _refused(f"it has over {MOST_ENTRIES} entries")
        path = _safe_path(member)
        if member.isdir():
            (target / path).mkdir(parents=True, exist_ok=True)
            continue
        if path in seen:
            raise _refused(f"entry '{path}' comes twice")
        seen.add(path)
        _extract(opened, member, target / path)


def _safe_path(member: tarfile.TarInfo) -> PurePosixPath:
    regular = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and member.sparse is None
    if not (regular or member.isdir()):
        raise _refused(f"entry '{member.name}' is a link or a device")
    if member.size < 0:
        raise _refused(f"entry '{member.name}' has {member.size} bytes")
    path = PurePosixPath(member.name)
    # The folder that was packed is its own first entry, in what the official tool packs.
    if member.isdir() and not path.parts:
        return path
    if (fault := fault_of_name(member.name)) is not None:
        raise _refused(fault)
    return path


def _extract(opened: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    source = opened.extractfile(member)
    assert source is not None  # as it is a regular file
    written = 0
    with source, path.open("xb") as file:
        while piece := source.read(PIECE):
            written += len(piece)
            file.write(piece)
    if written != member.size:
        raise _refused(f"entry '{member.name}' breaks off")
    path.chmod(0o755 if member.mode & 0o100 else 0o644)


def _refused(reason: str) -> SandboxError:
    return SandboxError.of("tar-refused", f"the tar.gz can't be used: {reason}")
