"""Verification: what each kind of difference is called."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.deploy.registration import Registration
from clarifai_build.inspection.verify import Published, Verified, verify
from clarifai_build.registry import RemoteVersion
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.reports.verify import as_json, as_text
from clarifai_build.storage.keys import provenance_key
from support.fakes import BUILT, MemoryStore, artifact_of, manifest_of, publish_records

MANIFEST = manifest_of()
FILES = {**BUILT, "1/weights.bin": bytes(range(256)) * 8, "1/clarifai_runtime/a.py": b"a = 1\n"}
ARTIFACT = artifact_of(FILES)
BYTES = ARTIFACT.read(0, ARTIFACT.size)
REGISTRATION = Registration.of(MANIFEST, ARTIFACT.digest, ARTIFACT.size)
STORE = MemoryStore()
RECORDS = publish_records(STORE, "a.zip", MANIFEST, ARTIFACT)
PROVENANCE = STORE.objects[provenance_key("a.zip")][0]
ORIGIN = RECORDS.add_to(VersionMetadata(revision=1, commit="c" * 40))
METADATA = REGISTRATION.new_version("", ORIGIN).metadata
VERSION = RemoteVersion("id", 21100, "", metadata=METADATA)


def check(
    content: bytes = BYTES, version: RemoteVersion = VERSION, built: Any = ARTIFACT, **rest: Any
) -> Verified:
    """Verify a version whose published zip has this content."""
    published = Published(
        *("a.zip", lambda at, length: content[at : at + length], len(content)),
        **{"provenance": PROVENANCE, **rest},
    )
    registration = Registration.of(MANIFEST, built.digest, built.size)
    return verify(version, registration, built, published)


def failed(verified: Verified) -> list[str]:
    """Return the names of the checks that failed."""
    return [one.name for one in verified.checks if not one.ok]


def recorded(**metadata: Any) -> RemoteVersion:
    """Return the version with other metadata."""
    return replace(VERSION, metadata=replace(METADATA, **metadata))


def test_the_same_is_verified() -> None:
    """Nothing differs: every check holds."""
    assert check().ok
    assert as_text("lines", check()).startswith("lines: v1 (id) verified")


@given(st.integers(0, len(BYTES) - 1), st.integers(1, 255))
def test_any_changed_byte_is_found(at: int, by: int) -> None:
    """Wherever a byte is changed, the object fails; in a file's content, the file is named."""
    found = check(BYTES[:at] + bytes([BYTES[at] ^ by]) + BYTES[at + 1 :])
    assert "object" in failed(found)
    assert "bytes" in failed(found)
    for segment in ARTIFACT.segments:
        if segment.offset <= at < segment.offset + segment.length:
            for path, content in FILES.items():
                if segment.source == content:
                    assert [one.path for one in found.diffs] == [path]


@given(st.integers(0, len(BYTES) - 1))
def test_any_cut_is_found(length: int) -> None:
    """However a zip is cut, both sizes are named."""
    found = check(BYTES[:length])
    assert {"object", "bytes"} <= set(failed(found))
    assert f"{length} bytes, {len(BYTES)} were published" in as_text("lines", found)


def test_another_source_is_shown_by_file_and_cause() -> None:
    """When the source moved on, the object is as published, and the files say what they are."""
    other = artifact_of({**FILES, "1/clarifai_runtime/a.py": b"a = 2\n", "1/new.py": b"new"})
    found = check(built=other)
    assert failed(found) == ["source", "registration", "bytes"]
    text = as_text("lines", found)
    assert "1/clarifai_runtime/a.py  6 B, other content (runtime of clarifai-build)" in text
    assert "+ 1/new.py  3 B (source)" in text
    assert f"--commit {'c' * 40}" in text


def test_the_report_names_the_digest_as_every_report_does() -> None:
    """The registered artifact's digest is `artifact_digest` in JSON, as everywhere."""
    assert as_json("clarifai.yaml", "lines", check())["artifact_digest"] == ARTIFACT.digest


def test_an_unknown_tool_is_not_offered() -> None:
    """Where no tool is recorded, there is none to install."""
    text = as_text("lines", check(built=artifact_of(BUILT), version=recorded(tool=None)))
    assert "tool unknown then" in text
    assert "rebuild with that tool" in text


def test_another_tool_is_named() -> None:
    """A version that an earlier tool built says which one would rebuild it."""
    other = artifact_of({**FILES, "config.pbtxt": b""})
    text = as_text("lines", check(built=other, version=recorded(tool="0.0.1")))
    assert "clarifai-build==0.0.1" in text


def test_a_dirty_tree_is_named() -> None:
    """What was applied with uncommitted changes can't be rebuilt, and that is said."""
    text = as_text("lines", check(built=artifact_of(BUILT), version=recorded(dirty=True)))
    assert "uncommitted changes" in text


@pytest.mark.parametrize("found", [None, b"", b"{}", PROVENANCE + b" "])
def test_other_provenance_is_found(found: bytes | None) -> None:
    """Provenance that is gone or was replaced fails, with both digests."""
    verified = check(provenance=found)
    assert failed(verified) == ["provenance"]
    assert RECORDS.provenance in as_text("lines", verified)


def test_provenance_of_another_zip_is_found() -> None:
    """Provenance that is as registered but speaks of another zip fails."""
    other = publish_records(MemoryStore(), "a.zip", MANIFEST, artifact_of(BUILT))
    store = MemoryStore()
    publish_records(store, "a.zip", MANIFEST, artifact_of(BUILT))
    body = store.objects[provenance_key("a.zip")][0]
    verified = check(version=recorded(provenance=other.provenance), provenance=body)
    assert failed(verified) == ["provenance"]


def test_a_lost_sbom_is_found() -> None:
    """A version that was registered with an SBOM has to have it."""
    sbom = hashlib.sha256(b"sbom").hexdigest()
    assert failed(check(version=recorded(sbom=sbom))) == ["sbom"]
    assert check(version=recorded(sbom=sbom), sbom=b"sbom").ok
