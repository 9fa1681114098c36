"""One table of tokens for files, manifests and output, each entry with the forms that people write.

Samples are put together here, so that scanners of this repository find none.
"""

from __future__ import annotations

import pytest

from clarifai_build.source.content_checks import RULES
from clarifai_build.util.redaction import has_token, masked
from clarifai_build.util.token_patterns import TOKEN_PATTERNS

HEX = "0f1e2d3c" * 4
ALONE = {
    "a private key": [
        "-----BEGIN " + f"{kind}PRIVATE KEY{block}-----"
        for kind, block in (("", ""), ("RSA ", ""), ("OPENSSH ", ""), ("PGP ", " BLOCK"))
    ],
    "an AWS access key": [f"{kind}ABCDEFGHIJKLMNOP" for kind in ("AKIA", "ASIA")],
    "a GitHub token": [
        *(f"gh{kind}_" + "a1" * 18 for kind in "pousr"),
        "github_pat_" + "11ABCDEFG0" * 2 + "_" + "a1" * 30,
    ],
    "a GitLab token": ["glpat-" + "a1" * 10, "glpat-" + "a-_1" * 6],
    "a Hugging Face token": ["hf_" + "aB" * 17],
    "a Slack token": [f"xox{kind}-" + "1a" * 10 for kind in "abprs"],
    "a Google API key": ["AIza" + "a1" * 17 + "b"],
}
ASSIGNED = [
    f"CLARIFAI_PAT={HEX}",
    f"export CLARIFAI_PAT='{HEX}'",
    f'CLARIFAI_PAT: "{HEX}"',
    f'os.environ["CLARIFAI_PAT"] = "{HEX}"',
    f'os.environ.setdefault("CLARIFAI_SESSION_TOKEN", "{HEX}")',
    f'{{"CLARIFAI_PAT":    "{HEX}"}}',
]
SAMPLES = [(name, sample) for name, samples in ALONE.items() for sample in samples]


def test_every_kind_has_samples() -> None:
    """A pattern without a sample is one that nobody has seen match."""
    alone = {kind.name for kind in TOKEN_PATTERNS if kind.alone}
    assert alone == set(ALONE)
    assert {kind.name for kind in TOKEN_PATTERNS} - alone == {"a Clarifai token"}


@pytest.mark.parametrize(("name", "sample"), SAMPLES)
@pytest.mark.parametrize("around", ["{}", "key = '{}'\n", "x: {},\n", "https://host/?k={}&a=b"])
def test_a_token_is_found_and_masked(name: str, sample: str, around: str) -> None:
    """In a file and in text that is shown, whatever stands around it."""
    text = around.format(sample)
    assert RULES.finding(text.encode()) == name
    assert has_token(text)
    assert sample not in masked(text)


@pytest.mark.parametrize("text", ASSIGNED)
def test_a_token_of_clarifai_is_told_by_its_variable(text: str) -> None:
    """However it is assigned; where text is shown, the value alone is masked."""
    assert RULES.finding(text.encode()) == "a Clarifai token"
    assert HEX not in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        f"md5: {HEX}",
        "github_pattern_matching_is_not_a_token_at_all",
        "CLARIFAI_PAT is a variable that holds a token",
        "prefixAKIAABCDEFGHIJKLMNOP",
        "xoxb-short",
        "PRIVATE KEY",
    ],
)
def test_what_only_resembles_one_goes_in(text: str) -> None:
    """A digest in a file, prose about tokens, a longer word."""
    assert RULES.finding(text.encode()) == ""


def test_a_digest_in_text_that_is_shown_is_masked() -> None:
    """It can't be told from a token there, and is no loss."""
    assert masked(f"md5: {HEX}") == "md5: " + "*" * 32
