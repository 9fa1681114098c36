"""Unpacks a zip that may be hostile: no escapes, no links, no bombs."""

from __future__ import annotations

import io
import shutil
import stat
import zipfile
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

# The list of the entries is read into memory before they are counted: 150 bytes
# for each, mostly its name.
MOST_DIRECTORY_BYTES = 32 << 20


def unpack(archive: Path, target: Path, cancel: CancelToken = NEVER) -> None:
    """Unpack `archive` into the new folder `target`, or refuse it as a whole."""
    try:
        with _Archive(archive) as file, zipfile.ZipFile(file) as opened:
            entries = opened.infolist()
            _check_size(entries, archive, target.parent)
            paths = [_safe_path(entry) for entry in entries]
            _check_unique(paths)
            target.mkdir()
            for entry, path in zip(entries, paths, strict=True):
                _extract(opened, entry, target / path, cancel)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError) as error:
        raise _refused(str(error) or "it is damaged") from error
    except OSError as error:
        raise _refused(f"{error.strerror}: {error.filename}") from error


class _Archive(io.FileIO):
    """A zip whose list of entries is not read where that is too long for memory."""

    def read(self, size: int | None = -1) -> bytes:
        # zipfile reads the list at once, and all else in small pieces.
        if size is not None and size > MOST_DIRECTORY_BYTES:
            raise _refused(f"the list of its entries has {size} bytes")
        return super().read(-1 if size is None else size)


def _check_size(entries: list[zipfile.ZipInfo], archive: Path, where: Path) -> None:
    if len(entries) > MOST_ENTRIES:
        raise _refused(f"it has {len(entries)} entries; {MOST_ENTRIES} are allowed")
    total = sum(entry.file_size for entry in entries)
    packed = archive.stat().st_size
    if total > most_unpacked(packed):
        raise _refused(f"its {packed} bytes unpack to {total}")
    if total > shutil.disk_usage(where).free:
        raise _refused(f"its content has {total} bytes, more than the disk has free")


def _safe_path(entry: zipfile.ZipInfo) -> PurePosixPath:
    name = entry.filename
    if (fault := fault_of_name(name)) is not None:
        raise _refused(fault)
    path = PurePosixPath(name)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    # 0: zips made on Windows hold no Unix mode.
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refused(f"entry '{name}' is a link or a device")
    if entry.flag_bits & 1:
        raise _refused(f"entry '{name}' is encrypted")
    return path


def _check_unique(paths: list[PurePosixPath]) -> None:
    seen: set[PurePosixPath] = set()
    for path in paths:
        if path in seen:
            raise _refused(f"entry '{path}' comes twice")
        seen.add(path)


def _extract(
    opened: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, cancel: CancelToken
) -> None:
    if entry.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with opened.open(entry) as source, path.open("xb") as file:
        while piece := source.read(PIECE):
            cancel.check()
            written += len(piece)
            # _check_size went by these sizes, and a hostile zip may lie about them.
            if written > entry.file_size:
                raise _refused(f"entry '{entry.filename}' is larger than it says")
            file.write(piece)
    path.chmod(0o755 if entry.external_attr >> 16 & 0o100 else 0o644)


def _refused(reason: str) -> SandboxError:
    return SandboxError.of("zip-refused", f"the zip can't be used: {reason}")
