"""An artifact to a file: what is known is not hashed again, and its records come with it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.packing.zip_writer import write_zip
from clarifai_build.digests.cache import DigestCache
from clarifai_build.progress import Event
from support.trees import artifact_of

ARTIFACT = artifact_of({"a": b"a", "b": b"b" * (3 << 20)})
SHA256 = hashlib.sha256(ARTIFACT.read(0, ARTIFACT.size)).hexdigest()


def test_a_sum_that_was_taken_is_kept(tmp_path: Path) -> None:
    """By the digest of the artifact."""
    cache = DigestCache(tmp_path / "digests")
    written = write_zip(ARTIFACT, tmp_path / "a.zip", cache=cache)
    assert written == (tmp_path / "a.zip", ARTIFACT.digest, SHA256, ARTIFACT.size)
    assert cache.zip_sha256(ARTIFACT.digest) == SHA256


def test_a_known_sum_is_not_taken_again(tmp_path: Path) -> None:
    """A wrong one shows that it is the one that was kept."""
    cache = DigestCache(tmp_path / "digests")
    cache.keep_zip_sha256(ARTIFACT.digest, "kept")
    assert write_zip(ARTIFACT, tmp_path / "a.zip", cache=cache).sha256 == "kept"


def test_records_are_of_the_zip_and_beside_it(tmp_path: Path) -> None:
    """They are made from the artifact and the SHA-256; None takes an older one away."""
    (tmp_path / "a.zip.sbom.json").write_bytes(b"old")
    asked: list[tuple[Artifact, str]] = []

    def records(artifact: Artifact, sha256: str) -> Mapping[str, bytes | None]:
        asked.append((artifact, sha256))
        return {".provenance.json": sha256.encode(), ".sbom.json": None}

    write_zip(ARTIFACT, tmp_path / "a.zip", records=records)
    assert asked == [(ARTIFACT, SHA256)]
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        "a.zip": ARTIFACT.read(0, ARTIFACT.size),
        "a.zip.provenance.json": SHA256.encode(),
    }


def test_records_that_can_not_be_made_leave_nothing(tmp_path: Path) -> None:
    """Nor is the sum of a zip kept that is nowhere."""
    cache = DigestCache(tmp_path / "cache" / "digests")

    def records(_artifact: Artifact, _sha256: str) -> Mapping[str, bytes | None]:
        raise LookupError("no lock")

    with pytest.raises(LookupError, match="no lock"):
        write_zip(ARTIFACT, tmp_path / "out" / "a.zip", cache=cache, records=records)
    assert not (tmp_path / "out").exists()
    assert cache.zip_sha256(ARTIFACT.digest) is None


def test_progress_ends_with_the_last_byte(tmp_path: Path) -> None:
    """Each event is further than the one before."""
    heard: list[Event] = []
    write_zip(ARTIFACT, tmp_path / "a.zip", heard.append)
    done = [event.done or 0 for event in heard]
    assert done == sorted(set(done))
    assert heard[-1] == Event("zip", "running", done=ARTIFACT.size, total=ARTIFACT.size)
    assert len(heard) == 4
