"""Records of verified weights in a bucket: found, trusted while they hold, written."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.errors import (
    BuilderError,
    ConditionalWritesUnsupportedError,
    NotAuthorisedError,
    StorageError,
)
from clarifai_build.manifest.types import Weight
from clarifai_build.progress import Event
from clarifai_build.storage.keys import weight_key
from clarifai_build.storage.upload.copy_sources import CopySource
from clarifai_build.storage.weight_records import StoredFile, WeightRecords
from clarifai_build.weights.source_object import Pieces, SourceObject
from clarifai_build.weights.weight_record import WORTH_BYTES, Place
from support.fakes import MemoryStore, artifact_of

CONTENT = bytes(WORTH_BYTES)
ARTIFACT = artifact_of({"1/w.bin": CONTENT, "1/small.bin": b"small"})
SMALL, LARGE = ARTIFACT.tree.entries
WEIGHT = Weight("w.bin", "s3://data/w.bin", LARGE.sha256)
KEY = weight_key("models", LARGE.sha256)


class Store:
    """Two buckets of one store, and a machine that has read a weight from one of them."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.buckets = {"models": MemoryStore(), "data": MemoryStore()}
        self.own = self.buckets["models"]
        self.etag = self.buckets["data"].put("w.bin", CONTENT, {})

    def records(self, cache: str = "") -> WeightRecords:
        """Return the records as a new process sees them, with a cache of its own."""
        folder = self.cache / cache
        return WeightRecords(self.own, "models", "", self.buckets.__getitem__, folder)

    def fetched(self, endpoint: str = "", content: bytes = CONTENT) -> None:
        """Have fetched it whole."""
        (self.cache / LARGE.sha256).write_bytes(content)
        source = SourceObject(endpoint, "data", "w.bin", self.etag)
        Pieces(self.cache / LARGE.sha256).add(source, 0)

    def settle(self, cache: str = "") -> list[StoredFile]:
        """Put on record what a machine has read; return what it can copy from."""
        records = self.records(cache)
        records.settle([WEIGHT], ARTIFACT)
        return records.find_all([WEIGHT], ARTIFACT)


def refuse(store: MemoryStore, name: str, error: BuilderError) -> None:
    """Let one kind of call fail."""

    def before(called: str) -> None:
        if called == name:
            raise error

    store.calls.before = before


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that knows nothing yet."""
    return Store(tmp_path)


def test_what_one_machine_has_read_another_one_knows(store: Store) -> None:
    """Its size, its CRC-32s, and an object that it can be copied from."""
    store.fetched()
    (found,) = store.settle()
    assert found.place == Place("data", "w.bin", store.etag)
    assert found.source == CopySource.of_file(*found.place[:3], LARGE.sha256, LARGE.size)
    content = store.records("another").known(LARGE.sha256)
    assert content == (LARGE.sha256, LARGE.size, LARGE.chunks)
    assert store.settle("another") == [found]


def test_what_nobody_has_read_is_not_known(store: Store) -> None:
    """One request says so, however often it is asked."""
    records = store.records()
    assert records.known(LARGE.sha256) is None
    assert records.known(LARGE.sha256) is None
    assert records.find_all([WEIGHT], ARTIFACT) == []
    assert store.own.calls.names == ["start_of"]


@pytest.mark.parametrize("content", [b"replaced", CONTENT])
def test_a_record_of_an_object_that_was_replaced_is_not_trusted(
    store: Store, content: bytes
) -> None:
    """Another ETag is another object, whatever its size."""
    store.fetched()
    store.settle()
    store.buckets["data"].put("w.bin", content, {})
    assert store.records("another").find(LARGE.sha256) is None
    assert store.settle() == []


def test_another_place_serves_where_the_first_is_gone(store: Store) -> None:
    """A record names all that are known."""
    store.fetched()
    store.settle()
    copy = store.own.put("copy.bin", CONTENT, {})
    Pieces(store.cache / LARGE.sha256).add(SourceObject("", "models", "copy.bin", copy), 0)
    store.settle()
    del store.own.objects["copy.bin"]
    found = store.records("another").find(LARGE.sha256)
    assert found is not None
    assert found.place.bucket == "data"


def test_a_weight_of_another_store_is_not_put_on_record(store: Store) -> None:
    """Its bucket and key mean nothing here."""
    store.fetched("https://elsewhere")
    assert store.settle() == []
    assert KEY not in store.own.objects


def test_small_weights_are_not_put_on_record(store: Store) -> None:
    """They are read as quickly."""
    small = Weight("small.bin", "s3://data/small.bin", SMALL.sha256)
    store.records().settle([small], ARTIFACT)
    assert store.records().find_all([small], ARTIFACT) == []
    assert store.own.calls.names == []


def test_a_record_that_says_the_same_is_not_written_again(store: Store) -> None:
    """Every apply of that machine comes by."""
    store.fetched()
    store.settle()
    before = store.own.objects[KEY]
    store.settle()
    assert store.own.objects[KEY] == before


@pytest.mark.parametrize("body", [b"", b"{", b'{"format": 1}', bytes(3 << 20)])
def test_what_is_no_record_is_ignored_and_replaced(store: Store, body: bytes) -> None:
    """By the next apply that has read the weight."""
    store.own.put(KEY, body, {})
    assert store.records("another").find(LARGE.sha256) is None
    store.fetched()
    store.settle()
    assert store.records("another").find(LARGE.sha256) is not None


def test_a_record_with_other_sums_is_replaced_by_who_has_seen_the_content(store: Store) -> None:
    """Nothing of it is kept."""
    store.fetched()
    store.settle()
    body = store.own.objects[KEY][0]
    chunk = f"{LARGE.chunks[0]:08x}".encode()
    store.own.put(KEY, body.replace(chunk, b"00000000").replace(b"w.bin", b"x.bin"), {})
    store.settle()
    assert store.own.objects[KEY][0] == body


@pytest.mark.parametrize("kind", [StorageError, NotAuthorisedError])
def test_a_store_that_refuses_to_look_is_as_good_as_one_without_records(
    store: Store, kind: type[StorageError]
) -> None:
    """The weight is read, or sent."""
    store.fetched()
    store.settle()
    refuse(store.buckets["data"], "stat", kind.of("denied", "no"))
    assert store.records("another").find(LARGE.sha256) is None
    refuse(store.own, "start_of", kind.of("denied", "no"))
    assert store.records("another").find(LARGE.sha256) is None


def test_a_record_that_can_not_be_written_is_told(store: Store) -> None:
    """The apply goes on, and knows where the weight lies."""
    store.fetched()
    refuse(store.own, "put_if", StorageError.of("denied", "the store says no"))
    events: list[Event] = []
    records = store.records()
    records.settle([WEIGHT], ARTIFACT, events.append)
    (found,) = records.find_all([WEIGHT], ARTIFACT)
    assert found.place.key == "w.bin"
    assert [event.message for event in events] == [
        "1/w.bin was not put on record: the store says no"
    ]


def test_a_store_without_conditional_writes_takes_the_record(store: Store) -> None:
    """Two that write it at once write the same."""
    store.fetched()
    refuse(store.own, "put_if", ConditionalWritesUnsupportedError.of("no-conditions", "no"))
    store.settle()
    assert store.records("another").find(LARGE.sha256) is not None


def test_another_place_serves_a_machine_whose_own_is_gone(store: Store) -> None:
    """What it read itself is looked at first, and then the record."""
    store.fetched()
    store.settle()
    copy = store.own.put("copy.bin", CONTENT, {})
    Pieces(store.cache / LARGE.sha256).add(SourceObject("", "models", "copy.bin", copy), 0)
    del store.own.objects["copy.bin"]
    (found,) = store.settle()
    assert found.place.bucket == "data"


def test_looking_writes_nothing(store: Store) -> None:
    """A plan may look, and an apply alone puts on record."""
    store.fetched()
    (found,) = store.records().find_all([WEIGHT], ARTIFACT)
    assert found.place.key == "w.bin"
    assert KEY not in store.own.objects
