"""The records beside a zip: written once, for whoever publishes it, and their digests."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from clarifai_build.errors import ArtifactError, ConditionalWritesUnsupportedError, StorageError
from clarifai_build.manifest.types import Manifest
from clarifai_build.provenance import lock as locks
from clarifai_build.provenance import records
from clarifai_build.provenance.lock import Lock
from clarifai_build.provenance.sbom import read_sbom, sbom_of
from clarifai_build.provenance.statement import statement_of
from clarifai_build.provenance.statement_document import (
    artifact_digest_of,
    read_statement,
    subject_of,
    tree_of,
    with_sha256,
)
from clarifai_build.registry.version_metadata import NO_METADATA, VersionMetadata
from clarifai_build.storage.keys import is_presigned, provenance_key, sbom_key
from support.fakes import BUILT, MemoryStore, artifact_of, publish_records

KEY = "models/tree/words.zip"


def test_records_are_written_once(manifest: Manifest) -> None:
    """A second publication of the same zip, from another commit say, refers to the same records."""
    artifact, store = artifact_of(BUILT), MemoryStore()
    first = publish_records(store, KEY, manifest, artifact)
    other = replace(manifest, model=replace(manifest.model, description="other"))
    assert publish_records(store, KEY, other, artifact) == first
    body = store.objects[provenance_key(KEY)][0]
    zip_sha256 = hashlib.sha256(artifact.read(0, artifact.size)).hexdigest()
    assert first.add_to(VersionMetadata(by="me")) == VersionMetadata(
        by="me", sha256=zip_sha256, provenance=hashlib.sha256(body).hexdigest(), sbom=""
    )


def test_a_lock_adds_an_sbom(lock: Lock, manifest: Manifest) -> None:
    """Its digest stands in the metadata, and one that is there already stays."""
    locks.write(lock, locks.path_of(manifest))
    artifact, store = artifact_of(BUILT), MemoryStore()
    made = publish_records(store, KEY, manifest, artifact)
    body = store.objects[sbom_key(KEY)][0]
    assert body == sbom_of(manifest, lock)
    assert made.add_to(NO_METADATA).sbom == hashlib.sha256(body).hexdigest()
    assert publish_records(store, KEY, manifest, artifact) == made
    store.objects.pop(provenance_key(KEY))
    store.put(sbom_key(KEY), b"theirs", {})
    again = publish_records(store, KEY, manifest, artifact)
    assert again.sbom == hashlib.sha256(b"theirs").hexdigest()
    assert again.sbom in store.objects[provenance_key(KEY)][0].decode()
    beside = records.beside(manifest, artifact, "f" * 64)
    assert beside[".sbom.json"] == body
    statement = b"".join(beside[".provenance.json"] or [])
    assert statement == statement_of(manifest, artifact, "f" * 64, lock, body)
    locks.path_of(manifest).unlink()
    assert records.beside(manifest, artifact, "f" * 64)[".sbom.json"] is None
    bare = publish_records(MemoryStore(), KEY, manifest, artifact)
    assert bare.add_to(NO_METADATA).sbom == ""


def test_the_records_of_another_zip_are_replaced(manifest: Manifest) -> None:
    """Same tree, other bytes: what was recorded of those says nothing of these."""
    artifact, store = artifact_of(BUILT), MemoryStore()
    records.publish(store, KEY, manifest, artifact, "0" * 64)
    made = publish_records(store, KEY, manifest, artifact)
    body = store.objects[provenance_key(KEY)][0]
    assert subject_of(body) == made.sha256
    assert hashlib.sha256(body).hexdigest() == made.provenance


def test_a_record_that_someone_else_writes_just_now_counts(manifest: Manifest) -> None:
    """Both refer to one; where it vanishes again, that is an error."""
    artifact, store = artifact_of(BUILT), MemoryStore()
    theirs = statement_of(manifest, artifact, "1" * 64, None, None)

    def quicker(name: str) -> None:
        if name == "put_if":
            store.put(provenance_key(KEY), theirs, {})

    store.calls.before = quicker
    made = publish_records(store, KEY, manifest, artifact)
    assert made.provenance == hashlib.sha256(theirs).hexdigest()
    store.put_if = lambda *_: None  # type: ignore[method-assign]  # refused, and then it is gone
    store.objects.clear()
    with pytest.raises(StorageError, match="vanished") as raised:
        publish_records(store, KEY, manifest, artifact)
    assert raised.value.problems[0].code == "records-unstable"


def test_a_lock_without_requirements_adds_no_sbom(lock: Lock, manifest: Manifest) -> None:
    """There is nothing to list; the provenance is made all the same."""
    locks.write(replace(lock, requirements=None), locks.path_of(manifest))
    store = MemoryStore()
    made = publish_records(store, KEY, manifest, artifact_of(BUILT))
    assert made.sbom == ""
    assert list(store.objects) == [provenance_key(KEY)]


def test_a_store_that_fails_is_no_store_without_conditions(manifest: Manifest) -> None:
    """Nothing is written past the condition then."""
    store = MemoryStore()

    def fail(name: str) -> None:
        if name == "put_if":
            raise StorageError.of("store-failed", "down")

    store.calls.before = fail
    with pytest.raises(StorageError, match="down"):
        publish_records(store, KEY, manifest, artifact_of(BUILT))
    assert store.objects == {}


@pytest.mark.parametrize(
    ("url", "signed"),
    [("https://b/k?X=s", True), ("https://b/k", False), ("a?b.zip", False), ("k.zip", False)],
)
def test_a_signed_url_opens_one_object(url: str, signed: bool) -> None:
    """It is told by its query; a key may hold anything."""
    assert is_presigned(url) is signed


@pytest.mark.parametrize("found", [b"", b"[]", b"{}", b"not json"])
def test_what_is_no_provenance_is_replaced(found: bytes, manifest: Manifest) -> None:
    """Something else in the place of a zip's provenance does not stay there."""
    artifact, store = artifact_of(BUILT), MemoryStore()
    expected = publish_records(MemoryStore(), KEY, manifest, artifact)
    store.put(provenance_key(KEY), found, {})
    assert publish_records(store, KEY, manifest, artifact) == expected


class PlainStore(MemoryStore):
    """A store that knows no conditional writes."""

    def put_if(self, key: str, body: bytes, replaces: str | None) -> str | None:
        raise ConditionalWritesUnsupportedError.of("no-conditional-writes", "no")


def test_a_store_without_conditions_gets_records_too(manifest: Manifest) -> None:
    """Where nothing can be written on a condition, it is written without."""
    store = PlainStore()
    made = publish_records(store, KEY, manifest, artifact_of(BUILT))
    assert made.provenance
    assert provenance_key(KEY) in store.objects


def test_records_of_a_url_keep_its_query() -> None:
    """A record lies beside the zip, not beside its signature; a key may hold anything."""
    assert provenance_key("https://b/k.zip?X=s") == "https://b/k.zip.provenance.json?X=s"
    assert sbom_key("https://b/k.zip") == "https://b/k.zip.sbom.json"
    assert sbom_key("a?b.zip") == "a?b.zip.sbom.json"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"[" * 100_000, b"\xff", b'{"components": 1}'])
def test_hostile_records_are_refused(body: bytes) -> None:
    """Whatever lies where a record should be is an error that names the record."""
    with pytest.raises(ArtifactError, match="the SBOM"):
        read_sbom(body)
    with pytest.raises(ArtifactError, match="here"):
        read_statement(body, "here")


def test_a_sum_that_nobody_knows_is_filled_in_later(manifest: Manifest) -> None:
    """The statement is then the one that would have been written with it, to the byte."""
    artifact, whole, store = artifact_of(BUILT), MemoryStore(), MemoryStore()
    known = publish_records(whole, KEY, manifest, artifact)
    expected = whole.objects[provenance_key(KEY)][0]
    made = records.publish(store, KEY, manifest, artifact, "")
    assert made.add_to(VersionMetadata(sha256="old")).sha256 is None
    body = store.objects[provenance_key(KEY)][0]
    assert (subject_of(body), tree_of(body)) == ("", artifact.digest)
    assert made.provenance == hashlib.sha256(body).hexdigest()
    assert records.publish(store, KEY, manifest, artifact, "") == made
    assert records.fill_in(store, KEY, known.sha256)
    assert store.objects[provenance_key(KEY)][0] == expected
    assert with_sha256(expected, "") == body
    assert not records.fill_in(store, KEY, known.sha256)
    assert records.publish(store, KEY, manifest, artifact, "").provenance == known.provenance


def test_a_sum_that_is_known_goes_into_what_is_there(manifest: Manifest) -> None:
    """The statement of the first publication stays, but for that."""
    artifact, store = artifact_of(BUILT), MemoryStore()
    records.publish(store, KEY, manifest, artifact, "")
    other = replace(manifest, model=replace(manifest.model, description="other"))
    known = publish_records(store, KEY, other, artifact)
    body = store.objects[provenance_key(KEY)][0]
    assert subject_of(body) == known.sha256
    assert b"other" not in body


def test_a_statement_of_another_artifact_is_replaced_though_no_sum_is_known(
    manifest: Manifest,
) -> None:
    """It lies under the digest of this one, and is about something else."""
    store, other = MemoryStore(), artifact_of({"a": b"b"})
    publish_records(store, KEY, manifest, other)
    artifact = artifact_of(BUILT)
    records.publish(store, KEY, manifest, artifact, "")
    assert tree_of(store.objects[provenance_key(KEY)][0]) == artifact.digest


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[]"])
def test_what_is_no_statement_is_not_filled_in(body: bytes) -> None:
    """Nothing is written, and nothing is read from it."""
    store = MemoryStore()
    store.put(provenance_key(KEY), body, {})
    assert not records.fill_in(store, KEY, "ab" * 32)
    assert not records.fill_in(MemoryStore(), KEY, "ab" * 32)
    assert artifact_digest_of(body) == ""
    with pytest.raises(ArtifactError):
        with_sha256(body, "")
