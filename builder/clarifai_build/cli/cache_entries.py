"""What this tool keeps in the user's cache: digests, weights, compressed and rendered files."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from clarifai_build.errors import ArtifactError
from clarifai_build.util import cache_dir
from clarifai_build.util.atomic_file import is_partial, remove_if_abandoned
from clarifai_build.weights import part_file


class CacheEntry(NamedTuple):
    """A cached file; `unused` is how many seconds ago it was last read or written."""

    path: Path
    size: int
    unused: int


def find(environ: Mapping[str, str] = os.environ) -> list[CacheEntry]:
    """Return every cached file, largest first."""
    places = (cache_dir.weights_folder, cache_dir.deflated_folder, cache_dir.renders_folder)
    with _translated():
        files = list(cache_dir.cache_folder(environ).glob(cache_dir.DIGESTS.format("*")))
        files += [file for place in places for file in _below(place(environ))]
        found = [_look(file, time.time()) for file in files if not _marks_another(file)]
    return sorted(filter(None, found), key=lambda file: (-file.size, file.path))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise ArtifactError.of(
            "unwritable",
            f"the cache file {exc.filename} can't be looked at or removed: {exc.strerror}",
            file=str(exc.filename),
            hint="fix its permissions, or those of its folder",
        ) from exc


def prune(unused_seconds: int, environ: Mapping[str, str] = os.environ) -> list[CacheEntry]:
    """Remove files that were not used for so long, and return them; all can be made again.

    What a process is fetching just now stays.
    """
    unused = [file for file in find(environ) if file.unused >= unused_seconds]
    with _translated():
        return [file for file in unused if _remove(file.path)]


def _remove(path: Path) -> bool:
    if path.suffix == part_file.SUFFIX:
        return part_file.remove_unused(path)
    if is_partial(path.name):
        return remove_if_abandoned(path)
    for file in (path, cache_dir.mark_of(path), cache_dir.source_of(path)):
        file.unlink(missing_ok=True)
    return True


def _marks_another(file: Path) -> bool:
    """Return whether a file is the mark of one that exists: they are removed together."""
    return cache_dir.is_mark(file) and file.with_suffix("").exists()


def _below(folder: Path) -> Iterator[Path]:
    def refuse(exc: OSError) -> None:
        if not isinstance(exc, FileNotFoundError):
            raise exc

    for parent, _, names in os.walk(folder, onerror=refuse):
        yield from (Path(parent, name) for name in names)


def _look(file: Path, now: float) -> CacheEntry | None:
    """Look at what a listing found, which may have gone since."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    # atime stands still on file systems mounted with noatime, hence the mark below.
    used = max(status.st_atime, status.st_mtime)
    with suppress(FileNotFoundError):
        used = max(used, cache_dir.mark_of(file).stat().st_mtime)
    unused = max(0, int(now - used))
    return CacheEntry(file, status.st_size, unused) if stat.S_ISREG(status.st_mode) else None
