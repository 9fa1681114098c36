"""Gzip files of stored blocks: what another tool makes of them, and of those that are damaged."""

from __future__ import annotations

import gzip
import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.util import gzip_stored
from clarifai_build.util.gzip_stored import StoredContent, StoredStream

EDGES = [1, 65_534, 65_535, 65_536, 131_069, 131_070, 131_071]


def made(content: bytes) -> bytes:
    """Return a gzip file of stored blocks."""
    parts = [gzip_stored.HEADER]
    for index, at in enumerate(range(0, len(content), gzip_stored.FULL)):
        parts.append(gzip_stored.block_header(index, len(content)))
        parts.append(content[at : at + gzip_stored.FULL])
    return b"".join((*parts, gzip_stored.trailer(zlib.crc32(content), len(content))))


def opened(data: bytes) -> StoredContent:
    """Open a gzip file in memory."""
    return StoredContent(lambda offset, length: data[offset : offset + length], len(data))


def content_of(size: int) -> bytes:
    """Return bytes that repeat nowhere near a block's length."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


@pytest.mark.parametrize("size", EDGES)
def test_gzip_reads_it_and_its_size_is_known(size: int) -> None:
    """Sizes around one block and two."""
    content = content_of(size)
    assert gzip.decompress(made(content)) == content
    assert len(made(content)) == gzip_stored.size_of(size)
    assert opened(made(content)).size == size


@given(st.sampled_from(EDGES), st.integers(0, 140_000), st.integers(0, 140_000))
def test_a_range_is_that_of_the_content(size: int, position: int, length: int) -> None:
    """Wherever it begins and ends."""
    content = content_of(size)
    assert opened(made(content)).read(position, length) == content[position : position + length]


@given(st.sampled_from(EDGES), st.integers(0, 140_000))
def test_a_position_is_what_lies_before_an_offset(size: int, offset: int) -> None:
    """Headers count for nothing."""
    content = content_of(size)
    marks = bytearray(made(bytes(size)))
    for index in range(size):
        at = 10 + 5 * (index // 65_535 + 1) + index
        marks[at] = 1 if at < offset else 0
    blank = made(bytes(size))
    before = sum(a != b for a, b in zip(marks, blank, strict=True))
    assert gzip_stored.position_at(offset, size) == before == min(before, len(content))


def test_the_size_in_the_end_is_taken_modulo_32_bits() -> None:
    """As RFC 1952 has it."""
    assert gzip_stored.trailer(1, (1 << 32) + 5) == b"\1\0\0\0\5\0\0\0"


@pytest.mark.parametrize("size", EDGES)
@pytest.mark.parametrize("cut", [1, 7, 8, 9, 1000, 66_000])
def test_a_cut_one_is_refused(size: int, cut: int) -> None:
    """Whatever is missing, its last block is not where the size says."""
    data = made(content_of(size))[:-cut]
    with pytest.raises(ValueError, match=r"cut|does not begin"):
        opened(data)


@pytest.mark.parametrize(
    ("rest", "kind"),
    [(b"x" * 9, "what is not gzip's"), (gzip.compress(b"more"), "another gzip file")],
    ids=["garbage", "member"],
)
@pytest.mark.parametrize("size", [1, 65_535, 70_000])
def test_what_follows_it_is_said(rest: bytes, kind: str, size: int) -> None:
    """Readers differ in whether they take it."""
    data = made(content_of(size))
    with pytest.raises(ValueError, match=f"ends at byte {len(data)}, and {len(rest)} bytes of"):
        opened(data + rest)
    with pytest.raises(ValueError, match=kind):
        opened(data + rest)


def test_a_compressed_one_is_refused_before_it_is_inflated() -> None:
    """A few bytes can stand for GiBs."""
    bomb = gzip.compress(bytes(10_000_000), mtime=0)
    body = gzip_stored.HEADER + bomb[10:]
    with pytest.raises(ValueError, match="compressed from byte 10 on"):
        opened(body)
    with pytest.raises(ValueError, match="does not begin as one"):
        opened(gzip.compress(b"x", mtime=1))


def test_a_damaged_block_is_named() -> None:
    """One in the middle, which is only seen when it is read."""
    data = bytearray(made(content_of(200_000)))
    data[10 + 65_540 + 2] ^= 1
    content = opened(bytes(data))
    assert content.read(0, 65_535) == content_of(65_535)
    with pytest.raises(ValueError, match="block at byte 65550 is damaged"):
        content.read(65_530, 10)


def test_what_can_not_be_read_is_said() -> None:
    """A store may give less than is asked for."""
    data = made(content_of(100))
    content = opened(data)
    content._read = lambda offset, length: data[offset : offset + length // 2]
    with pytest.raises(ValueError, match="can't be read beyond byte"):
        content.read(0, 100)


def test_a_stream_can_be_positioned() -> None:
    """As tarfile does."""
    stream = StoredStream(opened(made(content_of(70_000))))
    assert (stream.readable(), stream.seekable()) == (True, True)
    assert stream.seek(-10, io.SEEK_END) == 69_990
    assert stream.read(100) == content_of(70_000)[-10:]
    assert stream.seek(-20, io.SEEK_CUR) == stream.tell() == 69_980
    assert stream.seek(5) == 5
    assert stream.read(3) == content_of(8)[5:]
