"""A zip that others may have written or replaced: what is wrong with it is said."""

from __future__ import annotations

import re
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.artifact.formats import zip_format
from clarifai_build.artifact.formats.zip_format import CENTRAL, END, Member
from clarifai_build.artifact.formats.zip_reader import ReadRange, read_entry, read_listing
from clarifai_build.errors import ArtifactError
from support.trees import artifact_of

ARTIFACT = artifact_of({"a": b"alpha", "b/c.txt": b"text" * 9})
BYTES = ARTIFACT.read(0, ARTIFACT.size)
DIRECTORY = ARTIFACT.segments[-1].offset


def reader(data: bytes) -> ReadRange:
    """Read ranges of bytes in memory."""
    return lambda offset, length: data[offset : offset + length]


def refused(data: bytes, why: str) -> None:
    """Take the listing of a zip, which has to fail for a reason, with what can be done."""
    with pytest.raises(ArtifactError, match=re.escape(why)) as caught:
        read_listing(reader(data), len(data))
    (problem,) = caught.value.problems
    assert problem.code == "not-a-zip"
    assert problem.message.startswith("the published object is not a zip of clarifai-build: ")
    assert "apply again" in (problem.hint or "")


def end_of(count: int, length: int, start: int, comment: int = 0) -> bytes:
    """Return the end of a zip that says this of its directory."""
    return END.pack(0x06054B50, 0, 0, count, count, length, start, comment)


def test_what_is_too_short_is_no_zip() -> None:
    """The end alone has 22 bytes."""
    refused(b"", "it has 0 bytes, of which the last can't be read")
    refused(BYTES[-21:], "it has 21 bytes, of which the last can't be read")
    assert read_listing(reader(end_of(0, 0, 0)), 22) == ()


def test_an_end_that_does_not_arrive_is_said() -> None:
    """A store may give less than is asked for."""
    with pytest.raises(ArtifactError, match=f"it has {len(BYTES) + 1} bytes"):
        read_listing(reader(BYTES), len(BYTES) + 1)


def test_what_comes_after_the_directory_is_refused() -> None:
    """A comment, or bytes that somebody added."""
    refused(BYTES + b"\0", "its central directory is not at its end")
    tail = BYTES[DIRECTORY:-22]
    refused(BYTES[:-22] + end_of(2, len(tail), DIRECTORY, 7), "its central directory is not at its")


def test_a_directory_that_is_not_within_is_refused() -> None:
    """By one byte."""
    length = len(BYTES) - 22 - DIRECTORY
    refused(BYTES[:-22] + end_of(2, length + 23, DIRECTORY), "does not lie within it")
    assert len(read_listing(reader(BYTES[:-22] + end_of(2, length, DIRECTORY)), len(BYTES))) == 2


def test_a_directory_of_hundreds_of_megabytes_is_not_read() -> None:
    """It would fill the memory of whoever looks."""
    size = 1 << 30
    for length, asked_for in ((256 << 20, True), ((256 << 20) + 1, False)):
        end, asked = end_of(0, length, 0), []

        def read(offset: int, count: int, end: bytes = end, asked: list[int] = asked) -> bytes:
            if offset + count == size:
                return end.rjust(count, b"\0")
            asked.append(count)
            return b""

        if asked_for:
            assert read_listing(read, size) == ()
        else:
            with pytest.raises(ArtifactError, match=f"its central directory has {length} bytes"):
                read_listing(read, size)
        assert asked == [length] * asked_for


@pytest.mark.parametrize("count", [1, 3, 65_534])
def test_the_number_of_files_has_to_be_right(count: int) -> None:
    """More than there are is damage; fewer leave the rest out, as in any reader."""
    length = len(BYTES) - 22 - DIRECTORY
    data = BYTES[:-22] + end_of(count, length, DIRECTORY)
    if count == 1:
        assert [entry.path for entry in read_listing(reader(data), len(data))] == ["a"]
    else:
        refused(data, "its central directory is damaged")


@given(st.integers(0, 3), st.integers(1, 255))
def test_a_damaged_signature_is_found(at: int, by: int) -> None:
    """Of the directory, or of a file's own header."""
    damaged = bytearray(BYTES)
    damaged[DIRECTORY + at] ^= by
    refused(bytes(damaged), "its central directory is damaged")
    entry = read_listing(reader(BYTES), len(BYTES))[1]
    damaged = bytearray(BYTES)
    damaged[entry.offset + at] ^= by
    with pytest.raises(ArtifactError, match=r"the header of b/c\.txt is not where"):
        b"".join(read_entry(reader(bytes(damaged)), entry))


def test_a_header_that_is_cut_is_said() -> None:
    """The object may have become shorter since its listing was read."""
    entry = read_listing(reader(BYTES), len(BYTES))[1]
    with pytest.raises(ArtifactError, match=r"the header of b/c\.txt is not where"):
        b"".join(read_entry(reader(BYTES[: entry.offset + 29]), entry))


def test_a_file_may_end_where_the_directory_begins_and_no_later() -> None:
    """One byte more would be the directory's."""
    content = b"x" * 9
    for size, fits in ((9, True), (10, False)):
        member = Member("a", 0o644, zip_format.STORED, zlib.crc32(content), size, size)
        header = zip_format.local_header(member)[:30] + content  # no name: the least there can be
        central = zip_format.central_header(member, 0)
        data = header + central + zip_format.end(1, len(central), len(header))
        if fits:
            assert [e.path for e in read_listing(reader(data), len(data))] == ["a"]
        else:
            refused(data, "a does not lie within it")


def test_comments_of_files_are_passed_over() -> None:
    """Another writer may leave some, and fields that are not ours."""
    central = bytearray()
    for offset, name in ((0, b"a"), (40, b"b")):
        extra, comment = b"\x55\x54\x05\x00\x01abcd", b"why"
        fields = list(
            CENTRAL.unpack(
                zip_format.central_header(
                    Member(name.decode(), 0o644, zip_format.STORED, 7, 1, 1), offset
                )[: CENTRAL.size]
            )
        )
        fields[11], fields[12] = len(extra), len(comment)
        central += CENTRAL.pack(*fields) + name + extra + comment
    data = bytes(99) + bytes(central) + zip_format.end(2, len(central), 99)
    listed = read_listing(reader(data), len(data))
    assert [(entry.path, entry.offset, entry.size) for entry in listed] == [
        ("a", 0, 1),
        ("b", 40, 1),
    ]


def test_only_the_values_that_are_too_large_are_taken_from_the_wide_field() -> None:
    """In the order that the format gives them: size, packed size, offset."""
    large = 5 << 30
    for size, packed, offset in (
        (large, 7, 9),
        (7, large, 9),
        (7, 8, large),
        (large, large, large),
    ):
        member = Member("a", 0o644, zip_format.DEFLATED, 1, packed, size)
        central = zip_format.central_header(member, offset)
        start = offset + packed + 99
        tail = central + zip_format.end(1, len(central), start)
        total = start + len(tail)

        def read(at: int, count: int, tail: bytes = tail, start: int = start) -> bytes:
            return (
                tail[at - start : at - start + count]
                if at >= start
                else b"\0" * (start - at) + tail[: count - (start - at)]
            )

        (entry,) = read_listing(read, total)
        assert (entry.size, entry.packed, entry.offset) == (size, packed, offset)


def test_a_wide_field_that_is_cut_is_not_read_beyond() -> None:
    """What 32 bits say stays then, and does not lie within."""
    member = Member("a", 0o644, zip_format.STORED, 1, 1, 5 << 30)
    central = zip_format.central_header(member, 0)
    fields = list(CENTRAL.unpack_from(central))
    cut = struct.pack("<HHI", 1, 4, 0)
    fields[11] = len(cut)
    data = CENTRAL.pack(*fields) + b"a" + cut
    (entry,) = read_listing(
        reader(bytes(99) + data + zip_format.end(1, len(data), 99)), 121 + len(data)
    )
    assert entry.size == zip_format.LIMIT32


def test_a_stored_file_is_as_long_as_is_listed() -> None:
    """Neither longer nor shorter, whatever its packed size says."""
    entry = read_listing(reader(BYTES), len(BYTES))[0]
    assert b"".join(read_entry(reader(BYTES), entry)) == b"alpha"
    for size in (4, 6):
        with pytest.raises(ArtifactError, match="the content of a is not of the size"):
            b"".join(read_entry(reader(BYTES), entry._replace(size=size)))


def test_what_is_longer_than_is_listed_is_not_read_to_its_end() -> None:
    """It could be without any end worth waiting for."""
    entry = read_listing(reader(BYTES), len(BYTES))[0]._replace(size=4, packed=1 << 30)
    asked: list[int] = []

    def read(offset: int, length: int) -> bytes:
        asked.append(offset)
        return BYTES[offset : offset + length].ljust(length, b"\0")

    with pytest.raises(ArtifactError, match="the content of a is not of the size"):
        b"".join(read_entry(read, entry))
    assert len(asked) == 2, "the header, and the first block"


def test_what_follows_a_compressed_stream_is_refused() -> None:
    """Bytes that no reader shows could hide there."""
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(b"alpha") + packer.flush()
    header = zip_format.local_header(Member("a", 0o644, zip_format.DEFLATED, 0, len(packed), 5))
    entry = read_listing(reader(BYTES), len(BYTES))[0]._replace(
        offset=0, method=zip_format.DEFLATED, packed=len(packed)
    )
    data = header + packed + b"??"
    assert b"".join(read_entry(reader(data), entry)) == b"alpha"
    with pytest.raises(ArtifactError, match="the content of a does not end where"):
        b"".join(read_entry(reader(data), entry._replace(packed=len(packed) + 1)))
