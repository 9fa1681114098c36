"""What is kept of where a fetched weight was read from."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.util import cache_dir
from clarifai_build.weights.source_object import Pieces, SourceObject, source_object_of

ONE = SourceObject("https://store", "bucket", "weights/w.bin", "e1", "v1")
OTHER = ONE._replace(etag="e2")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A weight in the cache."""
    file = tmp_path / ("0" * 64)
    file.write_bytes(b"weight")
    return file


def test_one_piece_names_its_object(file: Path) -> None:
    """A fetch in one go is of what it was opened as."""
    Pieces(file).add(ONE, 0)
    assert source_object_of(file) == ONE


def test_nothing_is_said_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A fetch that was killed has noted where it came from, and has proven nothing."""
    Pieces(tmp_path / "w").add(ONE, 0)
    assert source_object_of(tmp_path / "w") is None


def test_what_another_process_began_is_gone_on_with(file: Path) -> None:
    """It noted what its pieces came from."""
    Pieces(file).add(ONE, 0)
    Pieces(file).add(ONE, 5)
    assert source_object_of(file) == ONE


def test_a_beginning_that_nobody_noted_leaves_it_open(file: Path) -> None:
    """The bytes before may be of another state of the object."""
    Pieces(file).add(ONE, 5)
    assert source_object_of(file) is None


def test_what_is_dropped_is_forgotten(file: Path) -> None:
    """The content was another one than the weight's."""
    pieces = Pieces(file)
    pieces.add(ONE, 0)
    pieces.drop()
    assert source_object_of(file) is None
    assert not cache_dir.source_of(file).exists()


PIECE = st.tuples(st.booleans(), st.sampled_from([ONE, OTHER, None]), st.booleans())


@given(st.lists(PIECE, min_size=1))
def test_an_object_is_named_where_all_of_it_was_read_in_one_state(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[bool, SourceObject | None, bool]]
) -> None:
    """However often the fetch begins anew, breaks off or is gone on with by another process."""
    file = tmp_path_factory.mktemp("cache") / "w"
    file.touch()
    follower, read = Pieces(file), [pieces[0][1]]
    for number, (anew, source, other_process) in enumerate(pieces):
        if other_process:
            follower = Pieces(file)
        offset = 0 if anew or not number else number
        follower.add(source, offset)
        read = [source] if not offset else [*read, source]
    assert source_object_of(file) == (read[0] if len(set(read)) == 1 else None)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b'{"endpoint": ""}',
        b'{"endpoint": "", "bucket": "b", "key": "k", "etag": ""}',
        b'{"endpoint": "", "bucket": "b", "key": "k", "etag": 1}',
        b'{"endpoint": "", "bucket": "b", "key": "k", "etag": "e", "more": ""}',
        b'{"endpoint": "", "bucket": "b", "key": "k", "etag": "e"}' + b" " * (64 << 10),
    ],
)
def test_what_is_no_such_note_says_nothing(file: Path, content: bytes) -> None:
    """A cache may be cut off, edited or of another release."""
    cache_dir.source_of(file).write_bytes(content)
    assert source_object_of(file) is None


def test_a_cache_that_can_not_be_written_says_nothing(tmp_path: Path) -> None:
    """The weight itself fails there, in words of its own."""
    Pieces(tmp_path / "nowhere" / "w").add(ONE, 0)
    assert list(tmp_path.iterdir()) == []
