"""Which object of a store a fetched weight was read from, whole and in one state.

Kept beside the file in the cache. It is a fact about the object, not about the file: what was read
under this ETag has the SHA-256 that the file is named by.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from clarifai_build.util import cache_dir
from clarifai_build.util.atomic_file import atomic_write
from clarifai_build.util.small_files import read_small_json

_MAX_BYTES = 64 << 10


class SourceObject(NamedTuple):
    """An object in one state. `endpoint` is empty for AWS; `version` where there are no versions.

    An ETag need not be a sum of the content, but it changes with it.
    """

    endpoint: str
    bucket: str
    key: str
    etag: str
    version: str = ""


class Pieces:
    """Follows a fetch piece by piece: all must come from one object in one state.

    It is noted on disk before a piece arrives, so that a fetch can be resumed after its process was
    killed. `file` is where the weight will lie.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._source = _read(file)

    def add(self, source: SourceObject | None, offset: int) -> None:
        """Note what the bytes from `offset` on come from; None: no object, or one without ETag."""
        # Nothing is known for sure where what comes before is of another state, or nobody noted it.
        if offset and source != self._source:
            source = None
        if source != self._source:
            self._source = source
            _write(self._file, source)

    def drop(self) -> None:
        """Forget it: what arrived is not what was wanted."""
        self._source = None
        _write(self._file, None)


def source_object_of(file: Path) -> SourceObject | None:
    """Return what a weight in the cache was read from; None where that is not known for sure."""
    return _read(file) if file.is_file() else None


def _read(file: Path) -> SourceObject | None:
    try:
        found = SourceObject(**read_small_json(cache_dir.source_of(file), _MAX_BYTES))
    except (OSError, ValueError, TypeError):
        return None
    is_text = all(isinstance(value, str) for value in found)
    return found if is_text and found.bucket and found.key and found.etag else None


def _write(file: Path, source: SourceObject | None) -> None:
    # A cache that can't be written fails where the weight itself is.
    with suppress(OSError):
        beside = cache_dir.source_of(file)
        # First: what is there must not be taken for true where the new one can't be written.
        beside.unlink(missing_ok=True)
        if source is not None:
            atomic_write(beside, json.dumps(source._asdict()).encode())
