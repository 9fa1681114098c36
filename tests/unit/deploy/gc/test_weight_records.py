"""Records of weights that help nobody any more: which go, and which stay."""

from __future__ import annotations

import pytest

from clarifai_build.artifact.contents_record import format_record
from clarifai_build.deploy.gc.weight_records import plan_weights, remove_weights
from clarifai_build.digests.known import KnownContent
from clarifai_build.errors import StorageError
from clarifai_build.progress import Event
from clarifai_build.storage import StoredObject
from clarifai_build.storage.keys import artifact_key, contents_key, weight_key
from clarifai_build.weights.weight_record import Place, WeightRecord
from support.fakes import BUILT, MemoryStore, artifact_of

CONTENT = b"a weight"
ARTIFACT = artifact_of({**BUILT, "1/w.bin": CONTENT})
(WEIGHT,) = (entry for entry in ARTIFACT.tree.entries if entry.path == "1/w.bin")
KEY = weight_key("models", WEIGHT.sha256)
ZIP = artifact_key("models", ARTIFACT.digest, "lines", "text-to-text")
OLD = 1e6


class World:
    """A bucket with an artifact and the record of a weight that it holds."""

    def __init__(self) -> None:
        self.store, self.data = MemoryStore(), MemoryStore()
        content = KnownContent(WEIGHT.sha256, WEIGHT.size, WEIGHT.chunks)
        place = Place("data", "w.bin", self.data.put("w.bin", CONTENT, {}))
        self.store.put(KEY, WeightRecord(content, (place,)).format(), {})
        self.store.put(ZIP, b"zip", {})
        stored = StoredObject(ZIP, ARTIFACT.size, "e")
        self.store.put(contents_key(ZIP), format_record(ARTIFACT, stored), {})
        self.store.ages = dict.fromkeys(self.store.objects, OLD)

    def reasons(self, grace: float = 0.0) -> list[str]:
        """Collect, and return why what went did."""
        stale = plan_weights(self.store, "models", grace, {"data": self.data}.__getitem__)
        told: list[Event] = []
        remove_weights(self.store, stale, told.append)
        assert [event.message for event in told] == [f"removed {one.key}" for one in stale]
        assert (KEY in self.store.objects) is not bool(stale)
        return [one.reason for one in stale]


@pytest.fixture
def world() -> World:
    """A record that holds, written long ago."""
    return World()


def test_a_record_that_holds_stays(world: World) -> None:
    """However old it is: the next machine asks for it."""
    assert world.reasons() == []


def test_a_record_of_a_weight_that_no_artifact_holds_goes(world: World) -> None:
    """Nobody is likely to want it."""
    del world.store.objects[ZIP], world.store.objects[contents_key(ZIP)]
    assert world.reasons() == ["no artifact holds the weight"]


@pytest.mark.parametrize("content", [None, CONTENT])
def test_a_record_of_an_object_that_is_gone_goes(world: World, content: bytes | None) -> None:
    """One that was replaced is another one, whatever it holds."""
    del world.data.objects["w.bin"]
    if content:
        world.data.put("w.bin", content, {})
    assert world.reasons() == ["the weight is gone, or was replaced"]


def test_a_young_record_stays(world: World) -> None:
    """Its artifact may be under way."""
    world.data.objects.clear()
    assert world.reasons(grace=OLD + 1) == []
    assert world.reasons(grace=OLD) != []


def test_what_can_not_be_seen_stays(world: World) -> None:
    """Another one may have the credentials for that bucket."""

    def refuse(_name: str) -> None:
        raise StorageError.of("denied", "no")

    world.data.calls.before = refuse
    assert world.reasons() == []


@pytest.mark.parametrize("body", [b"", b'{"format": 2}', b"x" * 100])
def test_what_an_artifact_holds_is_not_guessed(world: World, body: bytes) -> None:
    """One of an earlier tool has no record: it may hold the weight."""
    other = artifact_key("models", "0" * 64, "other", "text-to-text")
    world.store.put(other, b"zip", {})
    world.store.put(contents_key(other), body, {})
    del world.store.objects[ZIP]
    assert world.reasons() == []


def test_what_an_artifact_holds_is_not_guessed_where_the_store_refuses(world: World) -> None:
    """Its record is there, and only not for these credentials."""

    def refuse(name: str) -> None:
        if name == "start_of" and world.store.calls.names.count(name) > 1:
            raise StorageError.of("denied", "no")

    world.store.calls.before = refuse
    assert world.reasons() == []


@pytest.mark.parametrize("body", [b"", b'{"format": 2}'])
def test_a_record_that_can_not_be_read_stays(world: World, body: bytes) -> None:
    """It may be a newer tool's."""
    world.store.put(KEY, body, {})
    world.store.ages[KEY] = OLD
    world.data.objects.clear()
    assert world.reasons() == []


def test_what_lies_elsewhere_in_the_folder_stays(world: World) -> None:
    """Only what is called as a record is one."""
    world.store.put("models/.weights/notes.txt", world.store.objects[KEY][0], {})
    world.store.put("models/.weights/deeper/x.json", world.store.objects[KEY][0], {})
    world.store.ages = dict.fromkeys(world.store.objects, OLD)
    world.data.objects.clear()
    assert len(world.reasons()) == 1
    assert "models/.weights/notes.txt" in world.store.objects
