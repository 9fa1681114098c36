"""A zip read by ranges: what the writer wrote is what the reader finds."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.formats import zip_format
from clarifai_build.artifact.formats.zip_reader import (
    PublishedEntry,
    ReadRange,
    read_entry,
    read_listing,
)
from clarifai_build.artifact.tree import Entry, FileTree
from clarifai_build.digests import files as digests
from clarifai_build.errors import ArtifactError
from clarifai_build.util.text import printable


def artifact_of(files: dict[str, bytes]) -> Artifact:
    """Make an artifact of contents in memory."""
    entries = []
    for path, data in files.items():
        digest = digests.of_bytes(data)
        mode = 0o755 if path.endswith(".sh") else 0o644
        entries.append(Entry(path, mode, len(data), digest.sha256, digest.chunks, data))
    return Artifact(FileTree.of(entries))


names = st.from_regex(r"[a-z]{1,8}(\.sh)?", fullmatch=True)


@given(st.dictionaries(names, st.binary(max_size=200), min_size=1, max_size=8))
def test_listing_is_what_was_written(files: dict[str, bytes]) -> None:
    """Paths, modes, sizes, checksums and contents come back, whatever the files are."""
    artifact = artifact_of(files)
    listing = read_listing(artifact.read, artifact.size)
    assert [(e.path, e.mode, e.size, e.crc32) for e in listing] == [
        (e.path, e.mode, e.size, e.crc32) for e in artifact.tree.entries
    ]
    assert {e.path: b"".join(read_entry(artifact.read, e)) for e in listing} == files


@given(st.data())
def test_a_cut_zip_is_refused(data: st.DataObject) -> None:
    """However a zip is cut, the answer is an error that says so, never a wrong listing."""
    whole = artifact_of({"a": b"x" * 50, "b": b"y"})
    content = whole.read(0, whole.size)[: data.draw(st.integers(0, whole.size - 1))]
    with pytest.raises(ArtifactError):
        read_listing(lambda at, length: content[at : at + length], len(content))


def test_wide_offsets_are_read() -> None:
    """Files beyond 4 GiB and their zip64 fields are listed."""
    big = Entry("a", 0o644, 5 << 30, "0" * 64, (0,) * 80, b"")
    small = Entry("b", 0o644, 1, digests.of_bytes(b"b").sha256, digests.of_bytes(b"b").chunks, b"b")
    artifact = Artifact(FileTree.of((big, small)))
    headers = [(s.offset, s.source) for s in artifact.segments if isinstance(s.source, bytes)]

    def read(offset: int, length: int) -> bytes:
        for start, header in headers:
            if start <= offset < start + len(header):
                return header[offset - start : offset - start + length]
        raise AssertionError(offset)

    listing = read_listing(read, artifact.size)
    assert [(e.path, e.size) for e in listing] == [("a", 5 << 30), ("b", 1)]
    assert listing[1].offset > 5 << 30


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zips_of_another_writer_are_read(method: int, tmp_path: Path) -> None:
    """Stored and deflated files come out as they went in."""
    target = tmp_path / "other.zip"
    with zipfile.ZipFile(target, "w", method) as written:
        written.writestr("a", b"a" * 10000)
    data = target.read_bytes()
    (entry,) = read_listing(reader(data), len(data))
    assert b"".join(read_entry(reader(data), entry)) == b"a" * 10000


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """A compressed file whose bytes were changed is an error that names it."""
    target = tmp_path / "other.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("lost", bytes(range(256)) * 10)
    data = bytearray(target.read_bytes())
    data[40:60] = b"\xff" * 20
    (entry,) = read_listing(reader(bytes(data)), len(data))
    with pytest.raises(ArtifactError, match="lost"):
        b"".join(read_entry(reader(bytes(data)), entry))


def deflated(content: bytes, tmp_path: Path) -> tuple[bytes, PublishedEntry]:
    """Return a zip of one deflated file, and that file's entry."""
    target = tmp_path / "other.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("one", content)
    data = target.read_bytes()
    (entry,) = read_listing(reader(data), len(data))
    return data, entry


def test_more_than_is_listed_is_not_inflated(tmp_path: Path) -> None:
    """A file that inflates to more than the directory says is refused, in blocks of few MiB."""
    data, entry = deflated(bytes(64 << 20), tmp_path)
    sizes = [len(block) for block in read_entry(reader(data), entry)]
    assert sum(sizes) == 64 << 20
    assert max(sizes) <= 4 << 20
    taken: list[bytes] = []
    with pytest.raises(ArtifactError, match="size"):
        taken.extend(read_entry(reader(data), entry._replace(size=10)))
    assert not taken


@pytest.mark.parametrize("cut", [1, 100])
def test_a_stream_that_ends_early_is_refused(cut: int, tmp_path: Path) -> None:
    """A compressed file that is cut is an error, not a shorter file."""
    data, entry = deflated(bytes(range(256)) * 10, tmp_path)
    with pytest.raises(ArtifactError, match="one"):
        list(read_entry(reader(data), entry._replace(packed=entry.packed - cut)))
    with pytest.raises(ArtifactError, match="cut"):
        list(read_entry(reader(data[: 33 + entry.packed - cut]), entry))


def test_names_are_shown_without_control_characters(tmp_path: Path) -> None:
    """The names of a hostile zip can't speak to the terminal."""
    target = tmp_path / "other.zip"
    with zipfile.ZipFile(target, "w") as written:
        written.writestr("a\x1b[2J\né", b"")
    data = target.read_bytes()
    assert read_listing(reader(data), len(data))[0].path == "a\\x1b[2J\\né"


def test_another_compression_is_refused(tmp_path: Path) -> None:
    """A zip that this tool can't have made is named as such."""
    target = tmp_path / "other.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_BZIP2) as written:
        written.writestr("a", b"a" * 1000)
    data = target.read_bytes()
    with pytest.raises(ArtifactError, match="does not use"):
        read_listing(reader(data), len(data))


def reader(data: bytes) -> ReadRange:
    """Read ranges of bytes in memory."""
    return lambda offset, length: data[offset : offset + length]


def test_what_lies_outside_is_refused() -> None:
    """A directory that leads beyond the zip, as far as 64 bits can say."""
    artifact = artifact_of({"a": b"x"})
    directory = artifact.segments[-1].offset
    for offset in (1 << 63, directory, (1 << 64) - 1):
        entry = zip_format.Member("a", 0o644, zip_format.STORED, 0, 1, 1)
        header = zip_format.central_header(entry, offset)
        tail = header + zip_format.end(1, len(header), directory)
        data = artifact.read(0, directory) + tail
        with pytest.raises(ArtifactError, match="a does not lie within it"):
            read_listing(reader(data), len(data))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    """Whoever unpacks it gets one of the two, and whoever looks may see the other."""
    target = tmp_path / "other.zip"
    with zipfile.ZipFile(target, "w") as written:
        written.writestr("a", b"evil")
        written.writestr("a", b"good")
    data = target.read_bytes()
    with pytest.raises(ArtifactError, match="b'a' is in it twice"):
        read_listing(reader(data), len(data))


@pytest.mark.parametrize("text", ["价格\u3000a\xa0b", "👩\u200d💻", "👩🏽\u200d💻"])
def test_what_people_write_is_shown_as_it_is(text: str) -> None:
    """Wide spaces and joined characters are no control characters."""
    assert printable(text) == text
    assert printable(f"{text}\u202e\x9b\u2028") == text + "\\u202e\\x9b\\u2028"
