"""The record of a verified weight, as it is written and read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.digests.files import CHUNK
from clarifai_build.digests.known import KnownContent
from clarifai_build.weights.weight_record import (
    MAX_BYTES,
    MOST_PLACES,
    Place,
    WeightRecord,
    parse_record,
)

SHA256 = "ab" * 32
PLACE = Place("bucket", "weights/ä.bin", "e1-3")
RECORD = WeightRecord(KnownContent(SHA256, CHUNK + 5, (1, 0xFFFFFFFF)), (PLACE,))
WORDS = st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1, max_size=20)
PLACES = st.builds(Place, WORDS, WORDS, WORDS, WORDS)


@given(
    st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=4),
    st.integers(1, CHUNK),
    st.lists(PLACES, min_size=1, max_size=MOST_PLACES),
)
def test_what_is_written_is_read(chunks: list[int], last: int, places: list[Place]) -> None:
    """Whatever the weight, and wherever it lies."""
    size = (len(chunks) - 1) * CHUNK + last
    record = WeightRecord(KnownContent(SHA256, size, tuple(chunks)), tuple(places))
    assert parse_record(record.format(), SHA256) == record


@given(st.integers(0, len(RECORD.format()) - 3))
def test_a_record_that_was_cut_off_is_none(length: int) -> None:
    """Wherever it ends."""
    assert parse_record(RECORD.format()[:length], SHA256) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", 2),
        ("sha256", "cd" * 32),
        ("size", True),
        ("size", -1),
        ("size", "5"),
        ("size", CHUNK),
        ("size", 1 << 70),
        ("chunks", ["00000001"]),
        ("chunks", ["00000001", "xyz"]),
        ("chunks", {}),
        ("places", []),
        ("places", {}),
        ("places", [{"bucket": "b", "key": "k"}]),
        ("places", [{"bucket": "b", "key": "k", "etag": ""}]),
        ("places", [{"bucket": "b", "key": "k", "etag": 1}]),
        ("places", [{"bucket": "b", "key": "k", "etag": "e\r\nx: y"}]),
        ("places", None),
    ],
)
def test_a_record_with_another_value_is_none(field: str, value: Any) -> None:
    """A hostile or a later one is as good as none: the weight is read."""
    changed = {**json.loads(RECORD.format()), field: value}
    assert parse_record(json.dumps(changed).encode(), SHA256) is None


@pytest.mark.parametrize("body", [b"", b"null", b"[" * 100_000, b"\xff", b" " * (MAX_BYTES + 1)])
def test_what_is_no_record_is_none(body: bytes) -> None:
    """Neither depth nor size does harm."""
    assert parse_record(body, SHA256) is None


def test_a_record_that_is_too_large_is_none() -> None:
    """Though all of it could be read."""
    assert parse_record(RECORD.format() + b" " * MAX_BYTES, SHA256) is None


def test_a_new_state_of_an_object_takes_the_place_of_the_old_one() -> None:
    """It comes first; other objects stay."""
    other, newer = PLACE._replace(bucket="other"), PLACE._replace(etag="e2")
    assert RECORD.at(other).at(newer).places == (newer, other)


def test_a_record_keeps_so_many_places() -> None:
    """The newest ones."""
    record = RECORD
    for number in range(20):
        record = record.at(Place("bucket", str(number), "e"))
    assert len(record.places) == MOST_PLACES
    assert record.places[0].key == "19"
