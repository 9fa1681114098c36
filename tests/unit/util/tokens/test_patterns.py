"""One table of tokens for files, manifests and output, with the forms that people write."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.manifest.document import parse
from clarifai_build.source.content_checks import RULES
from clarifai_build.util.redaction import any_has_token, has_token, masked
from clarifai_build.util.tokens.patterns import TOKEN_PATTERNS
from clarifai_build.util.tokens.search import TokenSearch
from clarifai_build.util.tokens.token_pattern import TokenPattern
from clarifai_build.validation.rules import problems
from support.token_samples import HEX, SAMPLES

ALL = [(name, sample) for name, samples in SAMPLES.items() for sample in samples]
SURROUNDINGS = ["{}", "x\n{}\n", "# {} #", "({},)", "é {}\té"]
# What makes a token none where it stands just before or after it, or within its value.
NEIGHBOURS = [
    *("", "...", "<", "${", "{{", "xxxxxx", "your", "EXAMPLE", "@host", "(", ".", "=", "-", "/"),
    *("@localhost", "sentry", "github", "ssh", "0", "a" * 20, "12345", "test", '"', "\n", " "),
]
ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"]


def kind_called(name: str) -> tuple[TokenPattern, ...]:
    """Return the table's entry of this name."""
    return tuple(kind for kind in TOKEN_PATTERNS if kind.name == name)


def test_every_kind_has_samples() -> None:
    """A pattern without a sample is one that nobody has seen match."""
    names = [kind.name for kind in TOKEN_PATTERNS]
    assert sorted(names) == sorted(SAMPLES)
    assert all(SAMPLES.values())


@pytest.mark.parametrize(("name", "sample"), ALL)
def test_a_sample_is_found_in_files_manifests_and_output(name: str, sample: str) -> None:
    """By its own pattern and by all together, in every encoding; what is shown keeps its length."""
    text = f"é: {sample} é"
    own, shown = TokenSearch(kind_called(name)), masked(text)
    assert [own.first(form.format(sample).encode()) for form in SURROUNDINGS] == [name] * 5
    assert [form for form in SURROUNDINGS if not RULES.finding(form.format(sample).encode())] == []
    assert [
        code for code in ENCODINGS if not RULES.finding(f"# ours\n{sample}\n".encode(code))
    ] == []
    document = parse(json.dumps({"model": {"description": f"see {sample} there"}}))
    assert "secret-in-manifest" in {problem.code for problem in problems(document)}
    assert has_token(text)
    assert not has_token(shown)
    assert (len(shown), shown[:3], shown[-2:]) == (len(text), "é: ", " é")


@pytest.mark.parametrize(("name", "sample"), ALL)
def test_a_sample_is_found_in_a_notebook(name: str, sample: str) -> None:
    """Among the escapes of JSON: in code, and in what a cell wrote."""
    source = f"# ours\n{sample}\nprint()"
    code, output = source.splitlines(keepends=True), [{"text": source}]
    for cell in ({"source": code}, {"outputs": output}):
        escaped = json.dumps({"cells": [cell]}, indent=1)
        assert RULES.finding(escaped.encode()), name
        signs = escaped.replace("+", "\\u002b").replace("=", "\\u003D").replace("/", "\\/")
        assert RULES.finding(signs.encode()), name


@given(st.sampled_from(ALL), st.text(max_size=40), st.text(max_size=40))
def test_no_surroundings_hide_a_sample(chosen: tuple[str, str], before: str, after: str) -> None:
    """What is found with the patterns alone is found with the marks that go before them."""
    name, sample = chosen
    content = f"{before} {sample} {after}".encode("utf-8", "surrogatepass")
    assert TokenSearch(kind_called(name)).first(content) == name


@given(
    st.sampled_from(ALL),
    st.lists(st.sampled_from(NEIGHBOURS) | st.text(max_size=20), max_size=3),
    st.lists(st.sampled_from(NEIGHBOURS) | st.text(max_size=20), max_size=3),
)
def test_no_other_text_hides_a_sample(
    chosen: tuple[str, str], before: list[str], after: list[str]
) -> None:
    """Texts that are searched as one hold a token where one of them does by itself."""
    texts = [*before, chosen[1], *after]
    assert has_token(chosen[1])
    assert any_has_token(texts)


@given(st.lists(st.sampled_from(NEIGHBOURS) | st.sampled_from([HEX[:20], "key: "]), max_size=6))
def test_texts_without_a_token_make_none(texts: list[str]) -> None:
    """Halves of a token in texts of their own are none."""
    assert not any_has_token(texts)


@pytest.mark.parametrize(
    "text",
    [
        f"md5: {HEX}",
        f"# needs a CLARIFAI_PAT\nCHECKSUM = '{HEX}'",
        "github_pattern_matching_is_not_a_token_at_all",
        "CLARIFAI_PAT is a variable that holds a token",
        "prefixAKIAABCDEFGHIJKLMNOP",
        "AKIAIOSFODNN7" + "EXAMPLE",
        "xoxb-short",
        "PRIVATE KEY",
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIE\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\nMIIDdzCCAl+gAwIBAgIE\n-----END PUBLIC KEY-----",
        "-----BEGIN " + "PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "HF_TOKEN=hf_" + "x" * 34,
        "OPENAI_API_KEY=sk-your-api-key-goes-here-please-now",
        "https://user:password@host/simple",
        "https://<user>:<password>@host/simple",
        "https://${USER}:${PASSWORD}@host/simple",
        "https://$USER:$PASSWORD@host/simple",
        "https://{user}:{password}@host/simple",
        "https://%s:%s@host/simple",
        "https://username:your_password@host/simple",
        "postgresql://postgres:postgres@localhost:5432/db",
        "http://localhost:3000/@vite/client",
        "ssh://git@host:22/a.git",
        "re.match(r'(https?)://([^:]+):([^@]+)@(.+)', url)",
        'password = os.environ["DB_PASSWORD_2"]',
        "password: changeme123",
        "api_key = settings.api_key_of_version_2_of_this",
        "//npm.example.org/:_authToken=${NPM_TOKEN}",
        "machine HOST login USER password $PASSWORD",
        '<div class="sk-toggleable__label sk-toggleable__label-arrow2">',
        "hf_hub_download_from_the_repository_of_version_2",
        "ops_of_a_graph_that_is_as_long_as_a_token_1234567890",
        'pad_token = "<|endoftext_0123456789|>"',
    ],
)
def test_what_only_resembles_one_goes_in(text: str) -> None:
    """A digest, prose about tokens, a longer word, the placeholders of documentation."""
    assert RULES.finding(text.encode()) == ""


def test_a_digest_in_text_that_is_shown_is_masked() -> None:
    """It can't be told from a token there, and is no loss."""
    assert masked(f"md5: {HEX}") == "md5: " + "*" * 32
