"""Digests of JSON values: of the value, not of how it came about."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.util.canonical_json import canonical_json, json_sha256

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


@given(VALUES, st.booleans())
def test_what_is_written_is_the_value(value: object, spaced: bool) -> None:
    """In both spellings."""
    assert json.loads(canonical_json(value, spaced=spaced)) == value


@given(st.dictionaries(TEXT, VALUES, min_size=2, max_size=5), st.booleans(), st.data())
def test_the_order_of_keys_does_not_matter(
    value: dict[str, object], spaced: bool, data: st.DataObject
) -> None:
    """Only what they are."""
    other = dict(data.draw(st.permutations(list(value.items()))))
    assert json_sha256(other, spaced=spaced) == json_sha256(value, spaced=spaced)


def test_digests_are_those_that_are_stored() -> None:
    """In the metadata of versions, and in locks and saved plans, on every machine."""
    value = {"b": [1, "é"], "a": None}
    assert canonical_json(value) == '{"a":null,"b":[1,"é"]}'
    assert canonical_json(value, spaced=True) == '{"a": null, "b": [1, "\\u00e9"]}'
    assert [json_sha256(value), json_sha256(value, spaced=True)] == [
        "f8f17faab95c024891d173fa43442b0e52007736a1f36715ac721ab22deeefc5",
        "1c3d52eb78675f43aa6a9ba74757059995a46043fee52c606fce62df3de0a8de",
    ]
