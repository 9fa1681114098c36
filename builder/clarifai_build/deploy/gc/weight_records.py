"""Removal of records of verified weights that tell nobody anything any more.

One goes when it is older than the grace period, and no object that it names is as it was, or no
artifact under the prefix holds the weight. To lose a record costs one reading of the weight: so
nothing is leased, and what can't be told is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from clarifai_build.errors import NotAuthorisedError, StorageError
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.provenance import published_contents
from clarifai_build.storage import ObjectStore, weight_records
from clarifai_build.storage.keys import (
    artifact_folder,
    digest_of_folder,
    is_artifact,
    root,
    weight_folder,
    weight_in,
)
from clarifai_build.weights.weight_record import Place, WeightRecord


class StaleRecord(NamedTuple):
    """A record of a weight that may go, and why."""

    key: str
    sha256: str
    reason: str


def plan_weights(
    store: ObjectStore, prefix: str, grace: float, open_bucket: Callable[[str], ObjectStore]
) -> tuple[StaleRecord, ...]:
    """Return the records under a prefix that may go; `grace` is in seconds.

    `open_bucket` opens another bucket of the same store.
    """
    # What is not a record, or a newer tool's, is not ours to judge.
    old = [
        (found.key, record)
        for found in store.find(weight_folder(prefix))
        if found.age >= grace
        and (sha256 := weight_in(found.key, prefix))
        and (record := weight_records.read(store, prefix, sha256))
    ]
    held = _held(store, prefix) if old else None
    return tuple(_stale(old, held, open_bucket))


def remove_weights(
    store: ObjectStore, stale: Iterable[StaleRecord], progress: ProgressCallback = no_progress
) -> None:
    """Remove records that were found to be stale."""
    for record in stale:
        store.delete(record.key)
        progress(Event("gc", "done", f"removed {record.key}"))


def _stale(
    old: Iterable[tuple[str, WeightRecord]],
    held: set[str] | None,
    open_bucket: Callable[[str], ObjectStore],
) -> Iterator[StaleRecord]:
    for key, record in old:
        content = record.content
        if held is not None and content.sha256 not in held:
            yield StaleRecord(key, content.sha256, "no artifact holds the weight")
        elif all(_is_gone(place, content.size, open_bucket) for place in record.places):
            yield StaleRecord(key, content.sha256, "the weight is gone, or was replaced")


def _is_gone(place: Place, size: int, open_bucket: Callable[[str], ObjectStore]) -> bool:
    try:
        stored = open_bucket(place.bucket).stat(place.key)
    # That it can't be seen from here does not mean that nobody uses it.
    except (StorageError, NotAuthorisedError):
        return False
    return stored is None or not stored.is_still(size, place.etag)


def _held(store: ObjectStore, prefix: str) -> set[str] | None:
    """Return the SHA-256s of all that artifacts hold; None where one of them has no record."""
    held: set[str] = set()
    for found in store.find(root(prefix)):
        if is_artifact(found.key):
            digest = digest_of_folder(artifact_folder(found.key))
            if (record := published_contents.read(store, found.key, digest)) is None:
                return None
            held.update(entry.sha256 for entry in record.tree.entries)
    return held
