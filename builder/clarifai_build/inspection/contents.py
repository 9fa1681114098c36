"""The files of an artifact, wherever it is: built from source, in a local zip, or published."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from clarifai_build.artifact.artifact import Artifact, blocks_of
from clarifai_build.artifact.tree import Entry
from clarifai_build.artifact.zip_reader import PublishedEntry, ReadRange, read_entry, read_listing
from clarifai_build.errors import ArtifactError, cannot_read
from clarifai_build.source.build_records import MAX_BYTES
from clarifai_build.storage import ObjectStore, stat_existing
from clarifai_build.storage.public_download import fetch_range
from clarifai_build.util.small_files import read_small

DifferenceKind = Literal["added", "removed", "content", "mode"]


class File(NamedTuple):
    """A file of an artifact, without its content."""

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
    """The files of one artifact by path. `blocks` yields the content of one of them."""

    name: str
    files: Mapping[str, File]
    blocks: Callable[[str], Iterator[bytes]]

    def read(self, path: str) -> bytes:
        return b"".join(self.blocks(path))


Listed: TypeAlias = File | Entry | PublishedEntry


def files_of(entries: Iterable[Listed]) -> dict[str, File]:
    """Return the files of a tree, or of a zip's listing, by path."""
    return {e.path: File(e.path, e.mode, e.size, e.crc32) for e in entries}


def of_artifact(name: str, artifact: Artifact) -> Contents:
    """Look into an artifact that was built from source."""
    entries = {entry.path: entry for entry in artifact.tree.entries}
    return Contents(
        name, files_of(entries.values()), lambda path: map(bytes, blocks_of(entries[path]))
    )


def of_zip(name: str, read: ReadRange, size: int) -> Contents:
    """Look into a zip of `size` bytes that is read by ranges."""
    listing: dict[str, PublishedEntry] = {entry.path: entry for entry in read_listing(read, size)}
    return Contents(name, files_of(listing.values()), lambda path: read_entry(read, listing[path]))


def of_url(name: str, url: str) -> Contents:
    """Look into a zip that is published at `url`."""
    # One byte says how long the whole is. A URL that is signed for GET refuses HEAD.
    size = fetch_range(url, 0, 1)[1]
    return of_zip(name, lambda offset, length: fetch_range(url, offset, length)[0], size)


def of_store(name: str, store: ObjectStore, key: str) -> Contents:
    """Look into a zip in a bucket, with the bucket's credentials."""
    size = stat_existing(store, key).size
    return of_zip(name, lambda offset, length: store.read(key, offset, length), size)


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
        stream = path.open("rb")

    def read(offset: int, length: int) -> bytes:
        with _translated(path):
            stream.seek(offset)
            return stream.read(length)

    with stream:
        yield of_zip(str(path), read, os.fstat(stream.fileno()).st_size)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArtifactError(cannot_read(path, error)) from error
