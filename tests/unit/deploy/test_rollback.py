"""Going back to an earlier version: what is proven first, told meanwhile, and kept afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from clarifai_build.cancellation import CancelToken
from clarifai_build.deploy.rollback import RollbackContext, delete_duplicates, roll_back
from clarifai_build.errors import RegistryError, StorageError
from clarifai_build.progress import Event
from clarifai_build.registry import NewModel, NewVersion, RemoteVersion
from clarifai_build.registry.version_metadata import VersionMetadata
from support.fakes import MemoryRegistry, MemoryStore, public_bucket

KEY = f"models/{'a' * 64}/lines_text-to-text.zip"
REQUEST = 8 << 20
"""At most so many bytes of a zip are read at once."""


class ExactStore(MemoryStore):
    """A store that refuses to read past the end of an object."""

    def read(self, key: str, offset: int, length: int) -> bytes:
        assert offset + length <= len(self.objects[key][0])
        return super().read(key, offset, length)


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    """A bucket that strangers can download from."""
    with public_bucket(ExactStore()) as made:
        yield made


def published(store: MemoryStore, content: bytes, **metadata: Any) -> MemoryRegistry:
    """Publish a zip, and return a platform with a version of it, which another one follows."""
    store.put(KEY, content, {})
    recorded = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), **metadata}
    registry = MemoryRegistry()
    registry.create_model(NewModel("lines", "text-to-text", "", "private"))
    post(registry, "one", revision=1, **recorded)
    post(registry, "other", revision=2)
    return registry


def post(registry: MemoryRegistry, registration: str, **metadata: Any) -> RemoteVersion:
    """Register a version of the model."""
    made = VersionMetadata("a" * 64, registration, **metadata)
    return registry.post("lines", NewVersion("", {}, {}, (), "", "private", made))


def test_rollback_of_a_model_that_goes_meanwhile() -> None:
    """When the versions vanish after they were listed, that is said."""
    target = RemoteVersion("v1", 21100, "", metadata=VersionMetadata(artifact_digest="a" * 64))
    with pytest.raises(RegistryError, match="any more"):
        roll_back(RollbackContext("lines", MemoryStore(), MemoryRegistry()), target, "key")


def test_the_whole_zip_is_read_in_pieces(store: MemoryStore) -> None:
    """It is told how much of how much was read, and nothing past the end is asked for."""
    size = REQUEST + 5
    registry, told = published(store, bytes(size)), list[Event]()
    context = RollbackContext("lines", store, registry, progress=told.append)
    version = roll_back(context, registry.posted["lines"][0], KEY)
    assert (version.id, version.recorded.rollback_of) == ("v3", "v1")
    assert told == [
        Event("check", "running", done=REQUEST, total=size),
        Event("check", "running", done=size, total=size),
        Event("check", "done", "the zip of v1 is as it was published"),
        Event("register", "running", "posted v3 (v3)"),
    ]


def test_a_version_without_a_recorded_size_is_proven_by_its_sum(store: MemoryStore) -> None:
    """Earlier tools recorded none: then any size may be right, and the SHA-256 decides."""
    registry = published(store, b"zip", size=None)
    context = RollbackContext("lines", store, registry)
    assert roll_back(context, registry.posted["lines"][0], KEY).id == "v3"


def test_a_rollback_that_is_cancelled_registers_nothing(store: MemoryStore) -> None:
    """Even when that happens after the zip was read."""
    registry, cancel = published(store, b"zip"), CancelToken()

    def end(name: str) -> None:
        if name == "version":
            cancel.cancel()

    registry.calls.before = end
    context = RollbackContext("lines", store, registry, cancel=cancel)
    with pytest.raises(KeyboardInterrupt):
        roll_back(context, registry.posted["lines"][0], KEY)
    assert [version.id for version in registry.posted["lines"]] == ["v1", "v2"]


def test_duplicates_go_and_are_returned(store: MemoryStore) -> None:
    """Only those of the same registration."""
    registry = published(store, b"zip")
    newest = post(registry, "one")
    gone = delete_duplicates(RollbackContext("lines", store, registry), newest)
    assert [version.id for version in gone] == ["v1"]
    assert [version.id for version in registry.posted["lines"]] == ["v2", "v3"]


def test_a_zip_of_another_size_is_not_read(store: MemoryStore) -> None:
    """It is another one, and may be large."""
    registry = published(store, bytes(100), size=99)
    told = list[Event]()
    context = RollbackContext("lines", store, registry, progress=told.append)
    with pytest.raises(StorageError, match="published were 99 bytes"):
        roll_back(context, registry.posted["lines"][0], KEY)
    assert told == []


def test_what_came_of_asking_the_earlier_version_is_not_taken_over(store: MemoryStore) -> None:
    """The new one is asked itself: the platform around it may have changed."""
    registry = published(store, bytes(10), canary="")
    context = RollbackContext("lines", store, registry)
    assert roll_back(context, registry.posted["lines"][0], KEY).recorded.canary is None
