"""The files of an artifact, wherever it is: built from source, in a local zip, or published."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.formats import tar_audit
from clarifai_build.artifact.formats.zip_audit import audit
from clarifai_build.artifact.formats.zip_reader import (
    PublishedEntry,
    ReadRange,
    read_entry,
    read_listing,
)
from clarifai_build.artifact.segments import blocks_of
from clarifai_build.artifact.tree import Entry
from clarifai_build.errors import ArtifactError, cannot_read
from clarifai_build.source.build_records import MAX_BYTES
from clarifai_build.storage import ObjectStore, stat_existing
from clarifai_build.storage.public_download import fetch_range
from clarifai_build.util.small_files import open_regular, read_small

# Bytes: what a download takes a few seconds for.
_AFFORDABLE = 128 << 20
_FOREIGN = (
    "another tool wrote this zip: dates, attributes and the like in its records are not compared"
)
_UNREAD = (
    "too large to be read for this: contents are those that its directory claims; "
    "`clarifai-build verify` reads every byte"
)

DifferenceKind = Literal["added", "removed", "content", "mode"]


class File(NamedTuple):
    """A file of an artifact, without its content; `crc32` is negative where nobody knows it."""

    path: str
    mode: int
    size: int
    crc32: int


class Difference(NamedTuple):
    """A file that is not the same in two artifacts; where its content differs, its mode may too."""

    path: str
    change: DifferenceKind
    before: File | None
    after: File | None


def differences(before: Mapping[str, File], after: Mapping[str, File]) -> Iterator[Difference]:
    """Yield the files that differ, by path. Contents are compared by size and CRC-32."""
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old is None or new is None:
            yield Difference(path, "removed" if old else "added", old, new)
        elif (old.size, old.crc32) != (new.size, new.crc32):
            yield Difference(path, "content", old, new)
        elif old.mode != new.mode:
            yield Difference(path, "mode", old, new)


@dataclass(frozen=True, slots=True)
class Contents:
    """The files of one artifact by path. `blocks` yields the content of one of them.

    `damage` is what is wrong with its zip, whatever the files are; `notes` what was not looked at;
    `packed` the CRC-32s of the files as they lie in the zip, where that was read.
    """

    name: str
    files: Mapping[str, File]
    blocks: Callable[[str], Iterator[bytes]]
    damage: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    packed: Mapping[str, int] = field(default_factory=dict)

    def read(self, path: str) -> bytes:
        return b"".join(self.blocks(path))


Listed: TypeAlias = File | Entry | PublishedEntry


def files_of(entries: Iterable[Listed]) -> dict[str, File]:
    """Return the files of a tree, or of a zip's listing, by path."""
    return {e.path: File(e.path, e.mode, e.size, _crc32_of(e)) for e in entries}


def _crc32_of(entry: Listed) -> int:
    """Return the CRC-32; that of an absent content may not be known, and counts as another one."""
    return -1 if isinstance(entry, Entry) and entry.lacks_sums else entry.crc32


def of_artifact(name: str, artifact: Artifact) -> Contents:
    """Look into an artifact that was built from source."""
    entries = {entry.path: entry for entry in artifact.tree.entries}
    return Contents(
        name, files_of(entries.values()), lambda path: map(bytes, blocks_of(entries[path]))
    )


def measured(name: str, read: ReadRange, size: int) -> Contents:
    """Look at every byte of what is read by ranges, and take its files as they really are."""
    if tar_audit.is_tar_gz(read):
        return _measured_tar(name, read, size)
    found = audit(read, size)
    known = {entry.path: entry for entry in found.entries}
    return Contents(
        name,
        files_of(found.entries),
        lambda path: read_entry(read, known[path]),
        found.damage,
        (_FOREIGN,) if found.foreign else (),
        dict(zip(known, found.packed, strict=True)),
    )


def _measured_tar(name: str, read: ReadRange, size: int) -> Contents:
    found = tar_audit.audit(read, size)
    known = {entry.path: entry for entry in found.entries}
    return Contents(
        name,
        files_of(found.entries),
        lambda path: tar_audit.read_entry(read, size, known[path]),
        found.damage,
        packed=dict(zip(known, found.packed, strict=True)),
    )


def published(name: str, read: ReadRange, size: int, *, whole: bool, proven: bool) -> Contents:
    """Look at every byte of a published zip where that is affordable, or the `whole` is asked for.

    Of others the directory is taken at its word, which is said if the store has not `proven` it. A
    tar.gz has no directory.
    """
    if size <= _AFFORDABLE or (whole and not proven) or tar_audit.is_tar_gz(read):
        return measured(name, read, size)
    return replace(of_zip(name, read, size), notes=() if proven else (_UNREAD,))


def of_zip(name: str, read: ReadRange, size: int) -> Contents:
    """Look into a zip of `size` bytes that is read by ranges, and take its directory at its word.

    A damaged file keeps its entry there: what has to be true is `measured`, as a tar.gz is.
    """
    if tar_audit.is_tar_gz(read):
        return _measured_tar(name, read, size)
    listing: dict[str, PublishedEntry] = {entry.path: entry for entry in read_listing(read, size)}
    return Contents(name, files_of(listing.values()), lambda path: read_entry(read, listing[path]))


def of_url(name: str, url: str) -> Contents:
    """Look into a zip that is published at `url`, as `of_zip` does."""
    return of_zip(name, *_at_url(url))


def measured_url(name: str, url: str) -> Contents:
    """Look at the bytes of a zip that is published at `url`, as far as that is affordable."""
    return published(name, *_at_url(url), whole=False, proven=False)


def of_store(
    name: str, store: ObjectStore, key: str, crc32: str = "", *, whole: bool = False
) -> Contents:
    """Look at a zip in a bucket, with the bucket's credentials, as `published` does.

    `crc32` is what it had when it was published.
    """
    stored = stat_existing(store, key)
    proven = bool(crc32) and stored.crc32 == crc32
    return published(
        name,
        lambda offset, length: store.read(key, offset, length),
        stored.size,
        whole=whole,
        proven=proven,
    )


def _at_url(url: str) -> tuple[ReadRange, int]:
    # One byte says how long the whole is. A URL that is signed for GET refuses HEAD.
    size = fetch_range(url, 0, 1)[1]
    return lambda offset, length: fetch_range(url, offset, length)[0], size


def read_local(path: str) -> bytes | None:
    """Return the content of a local record, or None where there is none."""
    try:
        return read_small(path, MAX_BYTES)
    except (FileNotFoundError, IsADirectoryError):
        return None
    except OSError as error:
        raise ArtifactError(cannot_read(path, error)) from error


@contextmanager
def of_file(path: Path) -> Iterator[Contents]:
    """Look into a zip on disk, which stays open while the block runs."""
    with _translated(path):
        stream = open_regular(path)

    def read(offset: int, length: int) -> bytes:
        with _translated(path):
            stream.seek(offset)
            return stream.read(length)

    with stream:
        yield measured(str(path), read, os.fstat(stream.fileno()).st_size)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArtifactError(cannot_read(path, error)) from error
