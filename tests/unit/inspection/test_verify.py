"""Verification: what each kind of difference is called."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build._version import __version__
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.deploy.registration import TEMPLATE, Registration
from clarifai_build.errors import StorageError
from clarifai_build.inspection.published_zip import Published, at_url, in_bucket
from clarifai_build.inspection.verify import Verified, verify, verify_unpublished
from clarifai_build.inspection.version_checks import Check
from clarifai_build.registry import RemoteVersion
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.reports.verify import as_json, as_text
from clarifai_build.storage.keys import provenance_key
from support.fakes import (
    BUILT,
    MemoryStore,
    artifact_of,
    manifest_of,
    public_bucket,
    publish_records,
)

MANIFEST = manifest_of()
FILES = {**BUILT, "1/weights.bin": bytes(range(256)) * 8, "1/clarifai_runtime/a.py": b"a = 1\n"}
ARTIFACT = artifact_of(FILES)
BYTES = ARTIFACT.read(0, ARTIFACT.size)
REGISTRATION = Registration.of(MANIFEST, ARTIFACT.digest, ARTIFACT.size)
STORE = MemoryStore()
RECORDS = publish_records(STORE, "a.zip", MANIFEST, ARTIFACT)
STORE.put("a.zip", BYTES, {})
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


def found_by(name: str, found: Verified) -> Check:
    """Return the one check of a name."""
    (one,) = (check for check in found.checks if check.name == name)
    return one


def recorded(**metadata: Any) -> RemoteVersion:
    """Return the version with other metadata."""
    return replace(VERSION, metadata=replace(METADATA, **metadata))


def test_the_same_is_verified() -> None:
    """Nothing differs: every check holds."""
    assert check().ok
    assert as_text("lines", check()).startswith("lines: v1 (id) verified")


def changed(at: int, by: int) -> Verified:
    """Verify the zip with one byte changed."""
    return check(BYTES[:at] + bytes([BYTES[at] ^ by]) + BYTES[at + 1 :])


@given(st.integers(0, len(BYTES) - 1), st.integers(1, 255))
def test_any_changed_byte_is_found(at: int, by: int) -> None:
    """Wherever a byte is changed, the object fails."""
    assert {"object", "bytes"} <= set(failed(changed(at, by)))


@given(st.data(), st.sampled_from(sorted(FILES)), st.integers(1, 255))
def test_a_changed_byte_of_a_file_names_the_file(data: st.DataObject, path: str, by: int) -> None:
    """That one, and no other."""
    (content,) = (one for one in ARTIFACT.segments if one.source == FILES[path])
    at = content.offset + data.draw(st.integers(0, content.length - 1))
    assert [one.path for one in changed(at, by).diffs] == [path]


@given(st.integers(0, len(BYTES) - 1))
def test_any_cut_is_found(length: int) -> None:
    """However a zip is cut, both sizes are named."""
    found = check(BYTES[:length])
    assert {"object", "bytes"} <= set(failed(found))
    assert f"{length} bytes, {len(BYTES)} were published" in as_text("lines", found)


def test_a_zip_that_is_cut_keeps_the_advice_of_its_reader() -> None:
    """It can't be compared file by file, and what to do is said."""
    found = found_by("bytes", check(BYTES[:10]))
    assert found.message.endswith(f"; the rebuilt zip has {len(BYTES)} bytes")
    assert found.hint.startswith("it was cut or replaced")


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


@pytest.mark.parametrize(
    ("tool", "way"),
    [("0.1.0", "pip install clarifai-build==0.1.0"), (__version__, "that had template 2")],
)
def test_an_artifact_of_the_previous_template_wants_its_tool(tool: str, way: str) -> None:
    """Another runtime gives other bytes: what then gave them is named, and how to get it."""
    other = artifact_of({**FILES, "1/clarifai_runtime/a.py": b"a = 2\n"})
    found = found_by("source", check(built=other, version=recorded(tool=tool, template="2")))
    assert f"template 2 then, {TEMPLATE} now" in found.message
    assert way in found.hint


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
    alone = check(version=recorded(sbom=sbom, provenance=None))
    assert failed(alone) == ["sbom"]
    assert found_by("sbom", alone).message.startswith("found nothing, the version was registered")


def test_all_checks_are_made() -> None:
    """In their order, each with what was found."""
    found = check()
    assert [(one.name, one.ok) for one in found.checks] == [
        *(("source", True), ("registration", True), ("object", True)),
        *(("provenance", True), ("bytes", True)),
    ]
    assert found.ok
    assert found.diffs == ()
    assert found_by("bytes", found).message == (
        f"all {len(BYTES)} bytes are those of the rebuilt zip"
    )


@pytest.mark.parametrize("offset", [4, 10])
def test_bytes_around_the_files_count(offset: int) -> None:
    """Of a version or a time, which no reader looks at: every file is the same."""
    damaged = bytearray(BYTES)
    damaged[offset] ^= 1
    found = found_by("bytes", check(bytes(damaged), recorded(sha256=None)))
    assert not found.ok
    assert found.message.endswith(f"the zip around them differs from byte {offset}")
    assert "provenance" in found.hint


def test_the_first_byte_of_several_that_differ_is_named() -> None:
    """Not one of a later block, nor the last."""
    damaged = bytearray(BYTES)
    damaged[10] ^= 1
    damaged[12] ^= 1
    assert found_by("bytes", check(bytes(damaged))).message.endswith("from byte 10")


def test_ten_files_are_named_and_the_others_counted() -> None:
    """More would fill the screen."""
    files = {f"1/{n:02}.bin": bytes([n]) * 9 for n in range(12)}
    published = artifact_of(files)
    for count, more in ((10, ""), (11, " and 1 more")):
        built = artifact_of({**files, **dict.fromkeys(list(files)[:count], b"new")})
        found = check(published.read(0, published.size), built=built)
        names = ", ".join(list(files)[:10])
        assert found_by("bytes", found).message == f"these files differ: {names}{more}"
        assert [one.path for one in found.diffs] == list(files)[:count]


def test_a_source_without_a_commit_gives_no_advice() -> None:
    """With one, that is what to verify against."""
    other = artifact_of({"a": b"a"})
    assert found_by("source", check(built=other, version=recorded(commit=None))).hint == ""
    assert found_by("source", check(built=other)).hint.endswith(f"--commit {'c' * 40}")


def test_another_zip_of_the_same_size_is_found_by_its_sum() -> None:
    """Both sums are named."""
    damaged = bytearray(BYTES)
    damaged[10] ^= 1
    found = found_by("object", check(bytes(damaged)))
    assert hashlib.sha256(damaged).hexdigest() in found.message
    assert hashlib.sha256(BYTES).hexdigest() in found.message
    assert found_by("object", check(bytes(damaged), recorded(sha256=None))).ok


def test_a_registration_that_differs_is_found() -> None:
    """With both digests."""
    found = found_by("registration", check(version=recorded(registration_digest="r" * 64)))
    assert not found.ok
    assert "r" * 64 in found.message
    assert REGISTRATION.digest in found.message


def test_records_that_were_never_made_are_not_missed() -> None:
    """As of versions of earlier tools."""
    found = check(version=recorded(provenance=None))
    assert [one.name for one in found.checks] == ["source", "registration", "object", "bytes"]


def test_a_zip_is_read_in_a_bucket() -> None:
    """With its records, where there are any."""
    there = in_bucket(STORE, "a.zip")
    assert (there.where, there.size, there.provenance) == ("a.zip", len(BYTES), PROVENANCE)
    assert there.read(3, 9) == BYTES[3:12]
    alone = MemoryStore()
    alone.put("a.zip", BYTES, {})
    assert in_bucket(alone, "a.zip").provenance is None
    with pytest.raises(StorageError, match="is gone from the bucket"):
        in_bucket(alone, "b.zip")


def test_a_zip_is_read_as_anyone_does() -> None:
    """With the records beside it, or those that the bucket's owner sees."""
    with public_bucket(STORE):
        there = at_url(STORE.url("a.zip"))
        assert (there.where, there.size) == (STORE.url("a.zip"), len(BYTES))
        assert (there.provenance, there.read(3, 9)) == (PROVENANCE, BYTES[3:12])
        seen = replace(there, provenance=b"owner's", sbom=b"sbom")
        both = at_url(STORE.url("a.zip"), seen)
        assert (both.provenance, both.sbom) == (b"owner's", b"sbom")


def unpublished(**recorded: Any) -> Verified:
    """Verify a version of which nothing is kept."""
    tar = Artifact.tar_gz(ARTIFACT.tree)
    registration = Registration.of(MANIFEST, tar.digest, tar.size)
    size = recorded.pop("size", tar.size)
    metadata = VersionMetadata(
        artifact_digest=tar.digest,
        registration_digest=registration.digest,
        size=size,
        target="runner",
        **recorded,
    )
    version = RemoteVersion("v", 21100, "", metadata=metadata)
    return verify_unpublished(version, registration, tar)


def test_of_what_is_kept_nowhere_the_digests_are_compared() -> None:
    """That no byte was looked at is said."""
    found = unpublished()
    assert found.ok
    assert [check.name for check in found.checks] == ["source", "registration", "size", "bytes"]
    assert "nothing was kept" in found.checks[-1].message


def test_what_was_recorded_of_an_upload_is_compared() -> None:
    """Its size, and its SHA-256 where that is on record."""
    tar = Artifact.tar_gz(ARTIFACT.tree)
    right = hashlib.sha256(tar.read(0, tar.size)).hexdigest()
    assert unpublished(sha256=right).ok
    assert [one.name for one in unpublished(sha256="0" * 64).checks if not one.ok] == ["sha256"]
    assert [one.name for one in unpublished(size=1).checks if not one.ok] == ["size"]
