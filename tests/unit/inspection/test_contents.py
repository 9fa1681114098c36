"""Files of an artifact, wherever it is: the same, and errors that say where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.artifact.packing.zip_writer import write_zip
from clarifai_build.errors import ArtifactError, StorageError
from clarifai_build.inspection import contents
from clarifai_build.inspection.contents import Contents, File
from clarifai_build.storage import stat_existing
from clarifai_build.storage.anonymous import download
from support.fakes import MemoryStore, public_bucket
from support.scripted_web import web
from support.trees import artifact_of

FILES = {"a": b"alpha", "b/c": b"", "d": bytes(range(256)) * 40}
ARTIFACT = artifact_of(FILES)


def read(found: Contents) -> dict[str, bytes]:
    """Read every file, whose size, mode and sum are those of the tree."""
    expected = [File(e.path, e.mode, e.size, e.crc32) for e in ARTIFACT.tree.entries]
    assert list(found.files.values()) == expected
    return {path: found.read(path) for path in found.files}


@pytest.fixture
def store() -> MemoryStore:
    """A bucket with the zip."""
    store = MemoryStore()
    store.put("a.zip", ARTIFACT.read(0, ARTIFACT.size), {})
    return store


def test_built_and_on_disk_are_the_same(tmp_path: Path) -> None:
    """The zip on disk is open as long as it is looked at."""
    assert read(contents.of_artifact("source", ARTIFACT)) == FILES
    write_zip(ARTIFACT, tmp_path / "a.zip")
    with contents.of_file(tmp_path / "a.zip") as found:
        (tmp_path / "a.zip").unlink()
        assert read(found) == FILES
        assert found.name == str(tmp_path / "a.zip")


def test_in_a_bucket_and_published_are_the_same(store: MemoryStore) -> None:
    """With the bucket's credentials, and as anyone."""
    assert read(contents.of_store("live", store, "a.zip")) == FILES
    with public_bucket(store):
        assert read(contents.of_url("live", store.url("a.zip"))) == FILES


def test_an_object_that_is_gone_is_named(store: MemoryStore) -> None:
    """With what brings it back."""
    with pytest.raises(StorageError, match=r"b\.zip is gone from the bucket") as caught:
        contents.of_store("live", store, "b.zip")
    assert caught.value.problems[0].code == "object-gone"
    assert stat_existing(store, "a.zip").size == ARTIFACT.size


def test_a_download_is_whole_or_not_there(store: MemoryStore) -> None:
    """What is not public is as good as nothing."""
    with public_bucket(store):
        assert download(store.url("a.zip")) == ARTIFACT.read(0, ARTIFACT.size)
        assert download(store.url("nothing")) is None


def test_a_download_that_fails_is_an_error() -> None:
    """Absence is one thing, and a server that fails another."""
    broken = web(lambda asked, _: asked.head(400, {"Content-Length": "0"}))
    with broken as server, pytest.raises(StorageError, match="400") as caught:
        download(f"{server.url}/a.zip")
    assert caught.value.problems[0].code == "download-failed"


def test_local_files_may_be_absent(tmp_path: Path) -> None:
    """Records beside a zip, say."""
    (tmp_path / "a").write_bytes(b"a")
    assert contents.read_local(str(tmp_path / "a")) == b"a"
    assert contents.read_local(str(tmp_path / "b")) is None
    assert contents.read_local(str(tmp_path)) is None


@pytest.mark.parametrize(("name", "why"), [("b.zip", "No such file"), ("", "Is a directory")])
def test_a_zip_that_can_not_be_opened_is_named(tmp_path: Path, name: str, why: str) -> None:
    """With the reason."""
    path = tmp_path / name
    with pytest.raises(ArtifactError, match=f"can't be read: {why}") as caught:
        contents.of_file(path).__enter__()
    assert [(p.code, p.file) for p in caught.value.problems] == [("unreadable", str(path))]
