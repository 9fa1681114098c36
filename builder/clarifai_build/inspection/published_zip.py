"""A published zip with its records, as it lies in the bucket or as everybody downloads it."""

from __future__ import annotations

from dataclasses import dataclass

from clarifai_build.artifact.formats.zip_reader import ReadRange
from clarifai_build.storage import ObjectStore, stat_existing
from clarifai_build.storage.anonymous import download
from clarifai_build.storage.keys import provenance_key, sbom_key
from clarifai_build.storage.public_download import fetch_range
from clarifai_build.util.urls import redact_url


@dataclass(frozen=True, slots=True)
class Published:
    """A published zip: where it lies, how to read it, its size, and its records by digest."""

    where: str
    read: ReadRange
    size: int
    provenance: bytes | None = None
    sbom: bytes | None = None


def in_bucket(store: ObjectStore, key: str) -> Published:
    """Look at the object itself, with the bucket's credentials."""
    notes = (store.get(provenance_key(key)), store.get(sbom_key(key)))
    stored = stat_existing(store, key)
    return Published(
        key,
        lambda offset, length: store.read(key, offset, length),
        stored.size,
        *(note.body if note else None for note in notes),
    )


def at_url(url: str, there: Published | None = None) -> Published:
    """Look at the public URL; where that opens the zip alone, `there` has the records."""
    size = fetch_range(url, 0, 1)[1]
    return Published(
        redact_url(url),
        lambda offset, length: fetch_range(url, offset, length)[0],
        size,
        there.provenance if there else download(provenance_key(url)),
        there.sbom if there else download(sbom_key(url)),
    )
