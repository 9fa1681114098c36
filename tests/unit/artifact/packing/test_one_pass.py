"""A cold build: one read for digests and zip, and the refusals of two."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.layout import gather
from clarifai_build.artifact.packing.one_pass import hash_and_write
from clarifai_build.artifact.packing.zip_writer import WrittenZip
from clarifai_build.artifact.tree import collect, make_tree
from clarifai_build.cancellation import CancelToken
from clarifai_build.digests import files
from clarifai_build.digests.cache import DigestCache
from clarifai_build.digests.files import FileFacts
from clarifai_build.errors import ArtifactError, SourceError
from clarifai_build.manifest.types import Manifest
from clarifai_build.progress import Event
from support.trees import GENERATED, manifest_of, weight_of, write_files

MIB = 1 << 20
TOKEN = b"hf_" + b"aB" * 17


def large(folder: Path, name: str = "w.bin", size: int = 65 * MIB) -> Path:
    """Put a sparse file in a folder, large enough for one read to pay."""
    folder.mkdir(exist_ok=True)
    with (folder / name).open("wb") as file:
        file.truncate(size)
    return folder


def written(
    manifest: Manifest, target: Path, *how: Any, **more: Any
) -> tuple[Artifact, WrittenZip]:
    """Find what goes in, and write the zip."""
    return hash_and_write(collect(GENERATED, manifest, output=target), target, *how, **more)


def refused(code: Path, folder: Path, **settings: object) -> list[tuple[str, str]]:
    """Build a zip that can't be; return code and file of each problem. Nothing may be left."""
    (folder / "out").mkdir()
    with pytest.raises(SourceError) as caught:
        written(manifest_of(code, **settings), folder / "out" / "a.zip")
    assert list((folder / "out").iterdir()) == []
    return sorted((p.code, Path(p.file or "").name) for p in caught.value.problems)


def test_a_large_pointer_is_refused_by_its_name(tmp_path: Path) -> None:
    """Before anything is read, and all of them at once."""
    code = large(large(tmp_path / "code", "a.dvc"), "b.dvc", 2 * MIB)
    assert refused(code, tmp_path) == [("dvc-pointer", "a.dvc"), ("dvc-pointer", "b.dvc")]


def test_a_small_secret_beside_large_files_is_refused(tmp_path: Path) -> None:
    """Unless it is allowed."""
    code = write_files(large(tmp_path / "code"), {"a.py": TOKEN})
    assert refused(code, tmp_path) == [("secret", "a.py")]
    manifest = manifest_of(code, allow_secrets=("a.py",))
    artifact, _ = written(manifest, tmp_path / "a.zip")
    assert "1/a.py" in [entry.path for entry in artifact.tree.entries]


def test_a_known_digest_is_put_to_the_proof(tmp_path: Path) -> None:
    """With `verify`, a wrong one is an error even beside a file for which one read would do."""
    code = write_files(large(tmp_path / "code"), {"a": b"a"})
    manifest, cache = manifest_of(code), DigestCache(tmp_path / "digests")
    (file,) = (file for file in gather({}, manifest).found if file.path == "a")
    wrong = FileFacts({file.file: files.of_bytes(b"another")}, {})
    plan = cache.plan(str(manifest.path), [file])
    cache.keep(plan._replace(made_at=file.stamp.ctime_ns + 10**10), wrong)
    with pytest.raises(ArtifactError, match=r"a digest of .*a that is not"):
        written(manifest, tmp_path / "a.zip", cache=cache._replace(verify=True))


def test_what_one_read_gave_is_kept(tmp_path: Path) -> None:
    """The sum of the zip, too, under the digest of a tree whose every digest is known."""
    code, cache = write_files(large(tmp_path / "code"), {"a": b"a"}), DigestCache(tmp_path / "d")
    heard: list[Event] = []
    artifact, made = written(manifest_of(code), tmp_path / "a.zip", heard.append, cache)
    content = (tmp_path / "a.zip").read_bytes()
    assert made.sha256 == hashlib.sha256(content).hexdigest()
    assert cache.zip_sha256(artifact.digest) == made.sha256
    assert (made.artifact_digest, made.size) == (artifact.digest, len(content))
    assert artifact.digest == Artifact(make_tree(GENERATED, manifest_of(code))).digest
    assert max(event.done or 0 for event in heard if event.stage == "hash") == 65 * MIB
    assert heard[-2:] == [
        Event("zip", "running", done=len(content), total=len(content)),
        Event("tree", "done", "4 files"),
    ]


def test_records_are_made_of_the_whole_artifact(tmp_path: Path) -> None:
    """With the digests of the large files in it."""
    code = large(tmp_path / "code")
    asked: list[tuple[str, str]] = []

    def records(artifact: Artifact, sha256: str) -> dict[str, bytes | None]:
        asked.append((artifact.digest, sha256))
        return {".provenance.json": b"record"}

    artifact, made = written(manifest_of(code), tmp_path / "a.zip", records=records)
    assert asked == [(artifact.digest, made.sha256)]
    assert "" not in [entry.sha256 for entry in artifact.tree.entries]
    assert (tmp_path / "a.zip.provenance.json").read_bytes() == b"record"


def test_the_zip_to_be_written_stays_out(tmp_path: Path) -> None:
    """It lies in the folder that it is made from."""
    code = large(tmp_path / "code")
    for _ in range(2):
        artifact, _ = written(manifest_of(code), code / "a.zip")
        assert [entry.path for entry in artifact.tree.entries] == [
            *("1/model.py", "1/w.bin", "config.pbtxt")
        ]


def test_a_wrong_weight_is_refused_before_it_takes_its_place(tmp_path: Path) -> None:
    """The zip of an earlier build stays."""
    code = large(tmp_path / "code")
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 old")
    manifest = manifest_of(code, (weight_of("w.bin", "w.bin", b"another"),))
    cache = DigestCache(tmp_path / "digests")
    with pytest.raises(SourceError, match="has SHA-256"):
        written(manifest, tmp_path / "a.zip", cache=cache)
    assert (tmp_path / "a.zip").read_bytes() == b"PK\x03\x04 old"


def cancelled_by(event: Event, code: Path, target: Path) -> list[Event]:
    """Cancel a build as soon as an event of this stage and state is heard; return all heard."""
    heard: list[Event] = []
    cancel = CancelToken()

    def listen(one: Event) -> None:
        heard.append(one)
        if (one.stage, one.state) == (event.stage, event.state):
            cancel.cancel()

    with pytest.raises(KeyboardInterrupt):
        written(manifest_of(code), target, listen, cancel=cancel)
    return heard


@pytest.mark.parametrize("size", [65 * MIB, 1])
def test_a_zip_is_cancelled_while_it_is_written(tmp_path: Path, size: int) -> None:
    """Of large files and of small ones; nothing is left of it."""
    code = large(tmp_path / "code", size=size)
    heard = cancelled_by(Event("zip", "running"), code, tmp_path / "out" / "a.zip")
    assert (heard[-1].stage, heard[-1].state) == ("zip", "running")
    assert not (tmp_path / "out").exists()


def test_digests_of_small_files_are_cancelled(tmp_path: Path) -> None:
    """Before there is a tree."""
    layout, cancel = (
        collect(GENERATED, manifest_of(large(tmp_path / "code", size=1))),
        CancelToken(),
    )
    cancel.cancel()
    heard: list[Event] = []
    with pytest.raises(KeyboardInterrupt):
        hash_and_write(layout, tmp_path / "a.zip", heard.append, cancel=cancel)
    assert "tree" not in [event.stage for event in heard]
