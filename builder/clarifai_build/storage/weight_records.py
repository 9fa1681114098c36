"""Records of verified weights in a bucket: for those who lack the content, by those who read it.

PREFIX/.weights/SHA256.json says in which objects of the same store a weight was found, in which
state, and what its CRC-32s are; see `clarifai_build.weights.weight_record`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from clarifai_build.digests.known import KnownContent
from clarifai_build.errors import (
    ConditionalWritesUnsupportedError,
    NotAuthorisedError,
    StorageError,
)
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.storage import ObjectStore
from clarifai_build.storage.keys import weight_key
from clarifai_build.storage.upload.copy_sources import CopySource
from clarifai_build.weights.source_object import source_object_of
from clarifai_build.weights.weight_record import (
    MAX_BYTES,
    WORTH_BYTES,
    Place,
    WeightRecord,
    parse_record,
)

if TYPE_CHECKING:
    from clarifai_build.artifact.artifact import Artifact
    from clarifai_build.artifact.tree import Entry
    from clarifai_build.manifest.types import Weight

_FAILURES = (StorageError, NotAuthorisedError)


class StoredFile(NamedTuple):
    """A content, and the object of the store that is the whole of it and nothing else."""

    content: KnownContent
    place: Place

    @property
    def source(self) -> CopySource:
        """The object as what a new zip can be copied from."""
        bucket, key, etag, _ = self.place
        return CopySource.of_file(bucket, key, etag, self.content.sha256, self.content.size)


@dataclass(frozen=True, slots=True)
class WeightRecords:
    """The records under a prefix of `store`, which lies at `endpoint` (empty for AWS).

    `bucket` opens another bucket of the same store; `cache` is the folder of fetched weights.
    What can't be read counts as absent: the weight itself is read then.
    """

    store: ObjectStore
    prefix: str
    endpoint: str
    bucket: Callable[[str], ObjectStore]
    cache: Path
    _found: dict[str, StoredFile | None] = field(default_factory=dict, repr=False)
    _here: dict[str, StoredFile | None] = field(default_factory=dict, repr=False)

    def find(self, sha256: str) -> StoredFile | None:
        """Return an object that holds a weight, by its record, and is still in that state."""
        if sha256 not in self._found:
            record = self._read(sha256)
            self._found[sha256] = self._standing(record) if record else None
        return self._found[sha256]

    def known(self, sha256: str) -> KnownContent | None:
        """Return what is on record of a weight, while it lies where it was read."""
        found = self.find(sha256)
        return found.content if found else None

    def find_all(self, weights: Iterable[Weight], artifact: Artifact) -> list[StoredFile]:
        """Return the objects of the store that hold one of an artifact's weights.

        By what this machine has read itself, or else by the records; nothing is written.
        """
        found = (self._read_here(e) or self.find(e.sha256) for e in _large(weights, artifact))
        return [stored for stored in found if stored]

    def settle(
        self,
        weights: Iterable[Weight],
        artifact: Artifact,
        progress: ProgressCallback = no_progress,
    ) -> None:
        """Put on record what this machine has read of an artifact's weights.

        What can't be written is told, and read once more by the next machine.
        """
        for entry in _large(weights, artifact):
            if stored := self._read_here(entry):
                self._settle(entry, stored, progress)

    def _settle(self, entry: Entry, stored: StoredFile, progress: ProgressCallback) -> None:
        try:
            self._keep(stored)
        except _FAILURES as error:
            words = f"{entry.path} was not put on record: {error.problems[0].message}"
            progress(Event("upload", "running", words))

    def _read_here(self, entry: Entry) -> StoredFile | None:
        """Return the object that a weight was read from, whole, if it is still in that state."""
        source = source_object_of(self.cache / entry.sha256)
        if source is None or source.endpoint != self.endpoint:
            return None
        if entry.sha256 not in self._here:
            place = Place(source.bucket, source.key, source.etag, source.version)
            content = KnownContent(entry.sha256, entry.size, entry.chunks)
            self._here[entry.sha256] = self._standing(WeightRecord(content, (place,)))
        return self._here[entry.sha256]

    def _keep(self, stored: StoredFile) -> None:
        content, place = stored
        mine, there = WeightRecord(content, (place,)), self._read(content.sha256)
        # Other places are kept where the record agrees with what this machine has seen.
        if there and there.content == content:
            mine = there if place in there.places else there.at(place)
        if mine != there:
            self._write(mine)

    def _standing(self, record: WeightRecord) -> StoredFile | None:
        """Return the first place whose object is as it was."""
        for place in record.places:
            if self._is_there(place, record.content.size):
                return StoredFile(record.content, place)
        return None

    def _is_there(self, place: Place, size: int) -> bool:
        try:
            stored = self.bucket(place.bucket).stat(place.key)
        except _FAILURES:
            return False
        return stored is not None and stored.is_still(size, place.etag)

    def _read(self, sha256: str) -> WeightRecord | None:
        try:
            return read(self.store, self.prefix, sha256)
        except _FAILURES:
            return None

    def _write(self, record: WeightRecord) -> None:
        """Write a record; where another apply is quicker, its own stays."""
        key, body = weight_key(self.prefix, record.content.sha256), record.format()
        there = self.store.stat(key)
        try:
            self.store.put_if(key, body, there.etag if there else None)
        except ConditionalWritesUnsupportedError:
            self.store.write(key, body)


def read(store: ObjectStore, prefix: str, sha256: str) -> WeightRecord | None:
    """Return the record of a weight; None where there is none, or none that this tool can read."""
    body = store.start_of(weight_key(prefix, sha256), MAX_BYTES + 1)
    return parse_record(body, sha256) if body else None


def _large(weights: Iterable[Weight], artifact: Artifact) -> list[Entry]:
    """Return the entries of weights, each content once, that are worth a record."""
    wanted = {weight.sha256 for weight in weights}
    entries = {e.sha256: e for e in artifact.tree.entries if e.sha256 in wanted}
    return [entry for entry in entries.values() if entry.size >= WORTH_BYTES]
