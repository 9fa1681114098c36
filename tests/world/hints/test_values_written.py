"""`write …` in a hint is written literally in the place of the value, and is of the right type."""

from __future__ import annotations

import re

import pytest

from clarifai_build.manifest.document import parse
from clarifai_build.validation.schema_checker import schema_problems

PLACES = [
    "triton: {max_batch_size: %s}",
    "triton: {ragged: %s}",
    "triton: {dynamic_batching: {preferred_batch_size: %s}}",
    "code: {python: %s}",
    "code: {exclude: %s}",
    "project: %s",
    "params: [{name: n, type: number, default: %s}]",
    "params: [{name: n, type: string, default: %s}]",
    "params: [{name: n, type: boolean, default: %s}]",
]
VALUES = [
    *("4", '"4"', "1.5", '"1.5"', "true", '"true"', '"yes"', "no", ".inf", '".inf"', '"-.INF"'),
    *('"1e3"', '"0x10"', "3.10", '"~"', "~", '""', '"a, b"', '"nan"', ".nan", '".nan"'),
]
WRITTEN = re.compile(r"write (.+?)(?: without quotes| in quotes)?$")


def wrong(place: str, value: str) -> list[str | None]:
    """Return the hints to values of another type than is asked for."""
    document = parse("model: {id: m, type: text-to-text}\n" + place % value)
    return [found.hint for found in schema_problems(document) if found.code == "wrong-type"]


@pytest.mark.parametrize("place", PLACES)
def test_what_a_hint_writes_is_of_the_right_type(place: str) -> None:
    """Whoever copies it has no problem of the same kind again."""
    hints = [(value, hint) for value in VALUES for hint in wrong(place, value)]
    literal = [(value, WRITTEN.match(hint or "")) for value, hint in hints]
    followed = [(value, match[1]) for value, match in literal if match and "finite" not in match[1]]
    assert followed
    assert [(old, new) for old, new in followed if wrong(place, new)] == []


@pytest.mark.parametrize(
    ("place", "value", "hint"),
    [
        (PLACES[0], '"1.5"', None),
        (PLACES[0], '"true"', None),
        (PLACES[6], '".inf"', None),
        (PLACES[6], ".inf", 'write a finite number, or ".inf" in quotes if it is text'),
        (PLACES[6], '"1.5"', "write 1.5 without quotes"),
    ],
)
def test_quotes_are_removed_only_where_that_helps(place: str, value: str, hint: str | None) -> None:
    """A number in quotes that would be none of the right kind without them gets no such hint."""
    assert hint in wrong(place, value)
