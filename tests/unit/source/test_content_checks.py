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
    TokenRule,
    content_problem,
)

TOKENS = {
    "a private key": b"-----BEGIN EC " + b"PRIVATE KEY-----",
    "an AWS access key": b"AKIA" + b"ABCDEFGHIJKLMNOP",
    "a GitHub token": b"ghp_" + b"a1" * 18,
    "a GitLab token": b"glpat-" + b"a1" * 10,
    "a Hugging Face token": b"hf_" + b"aB" * 17,
    "a Slack token": b"xoxb-" + b"1a" * 10,
    "a Google API key": b"AIza" + b"a1" * 17 + b"b",
    "a Clarifai token": b"CLARIFAI_PAT='" + b"0f" * 16 + b"'",
}


def test_each_kind_of_token_is_found_by_its_name() -> None:
    """In the midst of others' text, and by no other name."""
    found = {name: RULES.finding(b"x = '" + token + b"'\n") for name, token in TOKENS.items()}
    assert found == {name: name for name in TOKENS}
    assert found.keys() == {token.name for token in RULES.tokens}


@given(st.binary())
def test_no_rules_find_nothing(content: bytes) -> None:
    """Whatever the content."""
    assert NO_RULES.finding(content) == ""


@pytest.mark.parametrize(
    "other",
    [
        RULES._replace(tokens=RULES.tokens[1:]),
        RULES._replace(tokens=(*RULES.tokens, TokenRule("another", (b"x",), b"x"))),
        RULES._replace(tokens=(RULES.tokens[0]._replace(pattern=b"x"), *RULES.tokens[1:])),
        RULES._replace(tokens=(RULES.tokens[0]._replace(marks=(b"x",)), *RULES.tokens[1:])),
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
