"""Published zips that a new one may be copied from, as they are on record and are now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.errors import NotAuthorisedError, StorageError
from clarifai_build.progress import ProgressCallback, no_progress
from clarifai_build.provenance import published_contents
from clarifai_build.storage import ObjectStore, StoredObject
from clarifai_build.storage.upload.copy_sources import CopySource
from clarifai_build.storage.upload.copy_warning import warn_not_copied

_MOST, _MOST_ASKED = 3, 6
"""An older zip rarely holds what the newest do not, and each costs two requests."""


def find(
    store: ObjectStore,
    bucket: str,
    zips: Mapping[str, str],
    progress: ProgressCallback = no_progress,
) -> tuple[CopySource, ...]:
    """Return the first zips that can be copied from; `zips` are keys in the bucket by digest.

    What is not on record, or can't be read, is passed over; a zip that is another by now than what
    was put on record is a warning.
    """
    newest = islice(zips.items(), _MOST_ASKED)
    found = (_source(store, bucket, key, digest, progress) for digest, key in newest)
    return tuple(islice(_present(found), _MOST))


def _present(found: Iterator[CopySource | None]) -> Iterator[CopySource]:
    return (source for source in found if source is not None)


def _source(
    store: ObjectStore, bucket: str, key: str, digest: str, progress: ProgressCallback
) -> CopySource | None:
    record = published_contents.read(store, key, digest, progress)
    if record is None or record.encoder is not None:
        return None
    stored, zipped = _stat(store, key), Artifact(record.tree)
    if stored is None:
        return None
    if not stored.is_still(zipped.size, record.etag):
        why = f"{key} is not copied at the store: it was replaced since it was put on record"
        warn_not_copied(progress, why)
        return None
    return CopySource.of_zip(bucket, key, record.etag, zipped)


def _stat(store: ObjectStore, key: str) -> StoredObject | None:
    try:
        return store.stat(key)
    except (StorageError, NotAuthorisedError):
        return None
