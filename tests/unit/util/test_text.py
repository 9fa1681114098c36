"""Values are one printable line, and no line is a command to a CI service."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.util.text import inert, joined, printable, printable_lines

# What is not printed, or controls what prints it.
_CONTROLS = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


@given(st.text(st.characters()))
def test_a_value_is_one_printable_line(text: str) -> None:
    """No character is left that a terminal obeys; only a joiner of pictures is no letter."""
    left = printable(text).replace("\u200d", "")
    assert not [char for char in left if unicodedata.category(char) in _CONTROLS]


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_what_people_write_stays(text: str) -> None:
    """Letters, digits, signs and spaces of any script are left alone."""
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("a\tb\r", "a\\tb\\r"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202eabc\u2066", "\\u202eabc\\u2066"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("half \ud83d", "half \\ud83d"),
        ("x\u200dy", "x\\u200dy"),
        ("🏳️\u200d🌈", "🏳️\u200d🌈"),
        ("🦊\u200d", "🦊\\u200d"),
    ],
)
def test_what_is_not_printed_is_escaped(text: str, shown: str) -> None:
    """As Python writes it; a joiner stays where it joins two pictures."""
    assert printable(text) == shown


def test_lines_of_ours_stay_lines() -> None:
    """A line break in a value makes no line, one between lines does."""
    assert joined(["a\nb", "c"]) == "a\\nb\nc"
    assert printable_lines("a\x07\nb") == "a\\x07\nb"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("::error::x", "\\u003a:error::x"),
        ("  \u3000::add-mask::x", "  \u3000\\u003a:add-mask::x"),
        ("one\n::two", "one\n\\u003a:two"),
        ("a ##[group]b", "a \\u0023#[group]b"),
        ("##vso[task.setvariable]", "\\u0023#vso[task.setvariable]"),
        ("##teamcity[message]", "\\u0023#teamcity[message]"),
        ("a::b, ## [c]", "a::b, ## [c]"),
    ],
)
def test_no_line_is_a_command(line: str, shown: str) -> None:
    """GitHub, Azure and TeamCity obey certain lines; the first sign of one is escaped."""
    assert inert(line) == shown


@given(st.text(st.sampled_from('#[]:" \\ab')))
def test_json_keeps_its_meaning(text: str) -> None:
    """JSON that is made inert says the same."""
    assert json.loads(inert(json.dumps({"a": text}, indent=2))) == {"a": text}
