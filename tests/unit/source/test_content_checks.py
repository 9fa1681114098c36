"""What is found in content, and what findings are kept with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.source.content_checks import (
    NO_RULES,
    POINTER,
    RULES,
    ContentRules,
    content_problem,
)
from clarifai_build.util.tokens.token_pattern import TokenPattern


@given(st.binary())
def test_no_rules_find_nothing(content: bytes) -> None:
    """Whatever the content."""
    assert NO_RULES.finding(content) == ""


@pytest.mark.parametrize(
    "other",
    [
        RULES._replace(tokens=RULES.tokens[1:]),
        RULES._replace(tokens=(*RULES.tokens, TokenPattern("another", ("x",), "x"))),
        RULES._replace(tokens=(RULES.tokens[0]._replace(pattern="x"), *RULES.tokens[1:])),
        RULES._replace(tokens=(RULES.tokens[0]._replace(starts=("x",)), *RULES.tokens[1:])),
        RULES._replace(tokens=(RULES.tokens[0]._replace(name="x"), *RULES.tokens[1:])),
        RULES._replace(pointers=()),
        RULES._replace(largest=RULES.largest + 1),
    ],
)
def test_any_change_of_the_rules_changes_their_digest(other: ContentRules) -> None:
    """What was found by others does not hold."""
    assert other.digest != RULES.digest
    assert other._replace(**RULES._asdict()).digest == RULES.digest


def test_what_is_allowed_is_a_secret_and_no_pointer() -> None:
    """A pointer in place of content is never what is meant."""
    found = [
        content_problem(finding, "a", "/code/a", allowed)
        for finding in ("a GitHub token", POINTER)
        for allowed in ((), ("a",), ("b",))
    ]
    codes = [problem and problem.code for problem in found]
    assert codes == ["secret", None, "secret", "lfs-pointer", "lfs-pointer", "lfs-pointer"]
