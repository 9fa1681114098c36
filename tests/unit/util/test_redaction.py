"""Messages are masked, on one line, and bounded."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.util.redaction import masked, message_of

# The rule in one expression; it takes the square of a text's length.
_USER = re.compile(
    r"(?<!hf://)(?<=://)[^\s\"']+(?=@)|(?<![^\s\"'])[^\s\"':@]+:(?!//)[^\s\"'@]+(?=@)"
)


@given(st.lists(st.sampled_from(["a", "hf", "://", ":", "@", "/", " ", "'", "//", "b"])))
def test_users_are_masked_by_the_rule(parts: list[str]) -> None:
    """Cut into runs, a text is masked as the one expression masks it."""
    text = "".join(parts)
    assert masked(text) == _USER.sub(lambda match: "*" * len(match[0]), text)


@pytest.mark.parametrize("part", ["://", "://@", "a:", "@", "a:b@", "-----BEGIN A", "ghp_", "0f"])
def test_a_megabyte_is_masked_at_once(part: str) -> None:
    """The time grows with the text, not with its square (which would take minutes)."""
    text = part * (1024 * 1024 // len(part))
    before = time.perf_counter()
    masked(text)
    assert time.perf_counter() - before < 10


def test_a_message_has_a_bound() -> None:
    """What is longer than anyone reads is cut."""
    assert message_of("short") == "short"
    told = message_of("x" * 1_000_000)
    assert told == "x" * 1000 + "…"


@pytest.mark.parametrize("start", [900, 990, 999])
def test_no_half_of_a_secret_is_shown_where_a_message_is_cut(start: int) -> None:
    """A token or a password across the cut is masked up to it."""
    password = "hunter" * 2000
    told = message_of(" " * (start - 10) + "https://me" + f":{password}@host/path")
    assert "hunter" not in told
    token = "0123456789abcdef" * 2
    assert "0123" not in message_of("x " * (start // 2) + token + " y" * 1000)


def test_a_message_is_one_line() -> None:
    """Line breaks and controls of values are escaped."""
    assert message_of("no file 'a\n::x\x1b'") == "no file 'a\\n::x\\x1b'"
