"""The SHA-256 of a zip: taken beside its upload, kept, and read where there is no other way."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.packing import zip_checksum
from clarifai_build.artifact.packing.zip_checksum import ZipSum
from clarifai_build.artifact.tree import make_tree
from clarifai_build.digests.cache import DigestCache
from clarifai_build.errors import SourceError
from clarifai_build.pipeline import apply
from clarifai_build.progress import Event, ProgressCallback
from clarifai_build.storage import SentCallback, StoredObject
from support import fakes
from support.trees import manifest_of, without_content

MIB = 1 << 20


def of_file(folder: Path, size: int) -> Artifact:
    """Return the artifact of a folder with a sparse file."""
    with (folder / "w.bin").open("wb") as file:
        file.truncate(size)
    return Artifact(make_tree({}, manifest_of(folder)))


def sum_of(artifact: Artifact) -> str:
    """Take the sum the plain way."""
    return hashlib.sha256(b"".join(artifact.blocks(0, artifact.size))).hexdigest()


@pytest.mark.parametrize("size", [0, 5, 9 * MIB])
def test_without_an_upload_the_files_are_read(tmp_path: Path, size: int) -> None:
    """An object that is there already, by someone without our cache, say."""
    artifact = of_file(tmp_path, size)
    heard: list[Event] = []
    with ZipSum(artifact, heard.append) as taken:
        assert taken.sha256() == sum_of(artifact)
    assert heard[-1] == Event("sum", "running", done=artifact.size, total=artifact.size)


def test_of_content_that_is_not_here_nobody_knows_the_sum(tmp_path: Path) -> None:
    """Nothing is read for it, unless it was taken before."""
    artifact = of_file(tmp_path, 5)
    there = without_content(artifact, "1/w.bin")
    cache = DigestCache(tmp_path / "cache.sqlite")
    with ZipSum(there, cache=cache) as taken:
        taken.follow(0)
        assert taken.sha256() == ""
    with ZipSum(artifact, cache=cache) as taken:
        known = taken.sha256()
    with ZipSum(there, cache=cache) as taken:
        assert taken.sha256() == known == sum_of(artifact)


def test_it_keeps_up_with_the_upload_and_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the one has read is still in memory when the other comes."""
    monkeypatch.setattr(zip_checksum, "_AHEAD", 12 * MIB)
    artifact = of_file(tmp_path, 64 * MIB)
    reached, moved = 0, threading.Condition()
    read_into = artifact.read_into

    def noted(buffer: memoryview, offset: int) -> object:
        nonlocal reached
        with moved:
            reached = offset + len(buffer)
            moved.notify()
        return read_into(buffer, offset)

    artifact.read_into = noted  # type: ignore[method-assign,assignment]
    with ZipSum(artifact) as taken, moved:
        for sent in (0, 8 * MIB, 40 * MIB):
            taken.follow(sent)
            goal = sent + 12 * MIB
            assert moved.wait_for(lambda goal=goal: reached == goal, 10)
            assert not moved.wait_for(lambda goal=goal: reached > goal, 0.05)
    with pytest.raises(InterruptedError):  # whoever leaves wants it no more
        taken.sha256()


def test_what_was_taken_once_is_kept(tmp_path: Path) -> None:
    """The second publication of the same tree reads nothing for it."""
    artifact = of_file(tmp_path, MIB)
    cache = DigestCache(tmp_path / "digests")
    with ZipSum(artifact, cache=cache) as taken:
        expected = taken.sha256()
    (tmp_path / "w.bin").unlink()
    with ZipSum(artifact, cache=cache) as known:
        known.follow(0)
        assert known.sha256() == expected


def test_a_file_that_changed_is_named(tmp_path: Path) -> None:
    """As everywhere."""
    artifact = of_file(tmp_path, MIB)
    os.utime(tmp_path / "w.bin")
    with ZipSum(artifact) as taken, pytest.raises(SourceError, match=r"w\.bin changed"):
        taken.sha256()


class OtherStage(fakes.MemoryStore):
    """A store whose uploads are told of by another name, and end when `over` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()

    def put_artifact(  # type: ignore[override]
        self, key: str, artifact: Any, metadata: Any, progress: ProgressCallback, **more: Any
    ) -> StoredObject:
        """Begin, and wait for what runs beside it."""
        progress(Event("transfer", "running", done=0, total=artifact.size))
        sent: SentCallback = more["sent"]
        sent(0)
        assert self.over.wait(30)
        return super().put_artifact(key, artifact, metadata, progress, **more)


def test_hashing_follows_an_upload_whatever_its_stage_is_called() -> None:
    """The upload ends after hashing has begun, so that both run side by side."""
    artifact = fakes.artifact_of(fakes.BUILT)
    content = artifact.read(0, artifact.size)
    read_into = artifact.read_into
    store = OtherStage()
    with fakes.public_bucket(store):

        def noted(buffer: memoryview, offset: int) -> object:
            store.over.set()
            return read_into(buffer, offset)

        artifact.read_into = noted  # type: ignore[method-assign,assignment]
        applied = apply(fakes.manifest_of(), artifact, store, fakes.MemoryRegistry())
    assert applied.version.recorded.sha256 == hashlib.sha256(content).hexdigest()
