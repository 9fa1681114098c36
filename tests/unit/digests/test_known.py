"""What is known of a content: as it stands in a lock or a record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.digests import files
from clarifai_build.digests.files import CHUNK
from clarifai_build.digests.known import (
    KnownContent,
    chunk_count,
    format_chunks,
    parse_content,
)

SHA256 = "ab" * 32
crc32s = st.integers(0, (1 << 32) - 1)


@given(st.lists(crc32s, max_size=5), st.integers(1, CHUNK))
def test_what_is_written_is_read_back(chunks: list[int], last: int) -> None:
    """Whatever the CRC-32s are, leading zeros included."""
    size = (len(chunks) - 1) * CHUNK + last if chunks else 0
    read = parse_content(SHA256, size, format_chunks(chunks))
    assert read == KnownContent(SHA256, size, tuple(chunks))
    assert read.has_sums


@pytest.mark.parametrize("size", [0, 1, 70_000])
def test_there_are_as_many_sums_as_are_taken_of_a_file(size: int) -> None:
    """One for each chunk that was begun."""
    assert chunk_count(size) == len(files.of_bytes(bytes(size)).chunks)


def test_chunks_are_counted_at_their_ends() -> None:
    """A full chunk is one, a byte more is two."""
    assert [chunk_count(size) for size in (CHUNK - 1, CHUNK, CHUNK + 1)] == [1, 1, 2]


def test_sums_that_are_missing_show() -> None:
    """A pointer says a size, and no CRC-32s; of nothing there are none."""
    assert not KnownContent(SHA256, 1).has_sums
    assert KnownContent(SHA256, 0).has_sums


@pytest.mark.parametrize(
    ("sha256", "size", "chunks"),
    [
        ("AB" * 32, 1, ["00000000"]),
        (None, 1, ["00000000"]),
        (SHA256 + "\n", 1, ["00000000"]),
        (SHA256, True, ["00000000"]),
        (SHA256, 1.0, ["00000000"]),
        (SHA256, -1, []),
        (SHA256, 1 << 63, []),
        (SHA256, 1, []),
        (SHA256, 1, "0"),
        (SHA256, 1, ["0000000"]),
        (SHA256, 1, ["0000000G"]),
        (SHA256, 1, [0]),
    ],
)
def test_what_is_of_no_content_is_refused(sha256: object, size: object, chunks: object) -> None:
    """Digests, sizes and sums come from files that anyone may have written."""
    with pytest.raises(ValueError, match=r"digits|bytes|CRC-32"):
        parse_content(sha256, size, chunks)
