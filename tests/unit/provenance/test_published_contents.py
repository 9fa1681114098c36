"""The record beside a zip: written where it is proven, and held against the zip file by file."""

from __future__ import annotations

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.contents_record import parse_record
from clarifai_build.errors import StorageError
from clarifai_build.progress import Event
from clarifai_build.provenance import published_contents
from clarifai_build.storage import StoredObject
from clarifai_build.storage.keys import contents_key
from support.fakes import Calls, MemoryStore, artifact_of
from support.trees import without_content

KEY = "models/tree/words.zip"
ARTIFACT = artifact_of({"1/a.py": b"code", "1/empty": b"", "1/w.bin": b"w" * 100})
ZIP = ARTIFACT.read(0, ARTIFACT.size)


def published(store: MemoryStore, artifact: Artifact = ARTIFACT) -> StoredObject:
    """Put the zip, and write its record."""
    store.put(KEY, ZIP, {})
    stored = store.stat(KEY)
    assert stored is not None
    published_contents.publish(store, KEY, artifact, stored)
    return stored


def test_a_record_is_read_back_by_who_knows_the_digest() -> None:
    """It names the object that the store has, and is written once."""
    store = MemoryStore()
    stored = published(store)
    record = published_contents.read(store, KEY, ARTIFACT.digest)
    assert record is not None
    assert (record.etag, record.size, record.crc32) == (stored.etag, stored.size, stored.crc32)
    before = store.objects[contents_key(KEY)][1]
    published_contents.publish(store, KEY, ARTIFACT, stored)
    assert store.objects[contents_key(KEY)][1] == before


def test_what_is_no_record_of_it_is_none_and_told() -> None:
    """That there is none is not told."""
    store, told = MemoryStore(), list[Event]()
    assert published_contents.read(store, KEY, ARTIFACT.digest, told.append) is None
    assert told == []
    published(store)
    assert published_contents.read(store, KEY, "ab" * 32, told.append) is None
    assert [event.warning.code for event in told if event.warning] == ["contents-unusable"]


def test_sums_that_were_not_taken_here_are_recorded_where_the_store_proves_them() -> None:
    """A lie about a CRC-32 would else go on from machine to machine."""
    there = without_content(ARTIFACT, "1/w.bin")
    store = MemoryStore()
    published(store, there)
    first = store.objects[contents_key(KEY)][0]
    parse_record(first, ARTIFACT.digest)
    entries = there.tree.entries
    lies = Artifact(there.tree._replace(entries=(*entries[:2], entries[2]._replace(chunks=(1,)))))
    for other in (lies, without_content(ARTIFACT, "1/w.bin", sums=False)):
        store = MemoryStore()
        published(store, other)
        assert contents_key(KEY) not in store.objects
    store = MemoryStore()
    store.put(KEY, ZIP, {})
    silent = StoredObject(KEY, len(ZIP), "e")
    published_contents.publish(store, KEY, there, silent)
    assert contents_key(KEY) not in store.objects


@pytest.mark.parametrize("call", ["start_of", "write"])
def test_a_store_that_refuses_a_record_is_told(call: str) -> None:
    """The zip is published all the same."""
    calls, told = Calls(), list[Event]()
    store = MemoryStore(calls)

    def fail(name: str) -> None:
        if name == call:
            raise StorageError.of("store-refused", "no")

    calls.before = fail
    stored = StoredObject(KEY, len(ZIP), "e")
    published_contents.publish(store, KEY, ARTIFACT, stored, told.append)
    assert [event.warning.code for event in told if event.warning] == ["store-refused"]
    assert (told[0].stage, told[0].message) == ("contents", "no")


def test_a_record_that_nobody_would_read_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be as large as what may be read, and a byte."""
    size = len(published_contents_of(ARTIFACT))
    monkeypatch.setattr(published_contents, "MAX_BYTES", size - 1)
    store = MemoryStore()
    published(store)
    assert contents_key(KEY) not in store.objects
    monkeypatch.setattr(published_contents, "MAX_BYTES", size)
    published(store)
    assert contents_key(KEY) in store.objects


def whole(zipped: bytes, artifact: Artifact = ARTIFACT) -> tuple[bool, int]:
    """Return whether bytes are the artifact by its record, and in how many reads."""
    store, asked = MemoryStore(), []
    published(store, artifact)
    record = published_contents.read(store, KEY, ARTIFACT.digest)
    assert record is not None

    def read(offset: int, length: int) -> bytes:
        asked.append(offset)
        return zipped[offset : offset + length]

    return published_contents.is_whole(record, read, len(zipped)), len(asked)


def test_a_zip_is_proven_by_the_record() -> None:
    """In as few reads as there are blocks: the headers are many."""
    assert whole(ZIP) == (True, 1)


@pytest.mark.parametrize("at", range(0, len(ZIP), 7))
def test_any_other_byte_shows(at: int) -> None:
    """In a header, a content or the directory."""
    assert not whole(ZIP[:at] + bytes([ZIP[at] ^ 1]) + ZIP[at + 1 :])[0]


@pytest.mark.parametrize("zipped", [ZIP[:-1], ZIP + b"x", b""])
def test_another_size_shows_without_a_read(zipped: bytes) -> None:
    """As the layout has one size."""
    assert whole(zipped) == (False, 0)


def test_of_a_compressed_zip_the_record_proves_nothing() -> None:
    """It does not say what lies where."""
    packed = Artifact(ARTIFACT.tree, encoder="deflate 1")
    record = parse_record(published_contents_of(packed), packed.digest)
    assert not published_contents.is_whole(record, lambda at, n: ZIP[at : at + n], len(ZIP))


def published_contents_of(artifact: Artifact) -> bytes:
    """Return the record of an artifact."""
    store = MemoryStore()
    published(store, artifact)
    return store.objects[contents_key(KEY)][0]
