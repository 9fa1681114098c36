"""Rules on a manifest by itself: what each refuses, at which place, and what it lets through."""

from __future__ import annotations

import pytest

from clarifai_build.errors import Problem
from clarifai_build.manifest.document import parse
from clarifai_build.repository_layout import RESERVED_TARGETS
from clarifai_build.validation.rules import is_bucket, problems

TOKEN = "hf_" + "aB" * 17
WEIGHT = "weights: [{{to: {}, from: x}}]"
SOURCE = "weights: [{{to: x, from: '{}'}}]"
STORAGE = "storage: {{bucket: models, {}}}"


def model(kind: str, rest: str = "") -> str:
    """Return a manifest of a type of model."""
    return f"model: {{id: m, type: {kind}}}\n{rest}"


def found(text: str) -> list[Problem]:
    """Check a manifest; where something may be done about a problem, that is said."""
    document = parse(text)
    assert document.problems == ()
    return list(problems(document))


REFUSED = [
    (model("text-to-text", "shapes: {image: [8, 8]}"), "shape-unused", (2, 10)),
    (model("visual-detector", "shapes: {embeddings: [8]}"), "shape-unused", (2, 10)),
    (model("visual-classifier", "triton: {streaming: true}"), "streaming-type", (2, 21)),
    (model("text-to-text", "triton: {ragged: true}"), "ragged-unused", (2, 18)),
    ("model: {labels: [a, b, a]}", "duplicate-label", (1, 24)),
    ('model: {labels: [a, "b\\x7f"]}', "label-characters", (1, 21)),
    (
        model("visual-detector", "triton: {dynamic_batching: {preferred_batch_size: [8, 9]}}"),
        *("preferred-over-max", (2, 55)),
    ),
    (
        "triton: {max_batch_size: 4, dynamic_batching: {preferred_batch_size: [5, 4]}}",
        *("preferred-over-max", (1, 71)),
    ),
    (
        model("text-to-text", "triton: {dynamic_batching: {preferred_batch_size: [2]}}"),
        *("preferred-over-max", (2, 52)),
    ),
    (
        model("text-to-text", "triton: {streaming: true, dynamic_batching: {x: 1}}"),
        *("streaming-batching", (2, 27)),
    ),
    (
        model("text-to-text", "triton: {streaming: true}\ncode: {per_item: true}"),
        *("streaming-per-item", (3, 18)),
    ),
    (
        "triton: {warmup: true}\nparams: [{name: a, default: 1}, {name: b}]",
        "warmup-params",
        (1, 18),
    ),
    ("triton: {response_cache: true}\nparams: [{name: a}]", "response-cache", (1, 26)),
    (
        model("text-to-text", "triton: {response_cache: true, streaming: true}"),
        *("response-cache", (2, 26)),
    ),
    ("params: [{name: class}]", "param-name", (1, 17)),
    ("params: [{name: self}]", "param-name", (1, 17)),
    ("params: [{name: input_data}]", "param-name", (1, 17)),
    ("params: [{name: a}, {name: b}, {name: a}]", "duplicate-param", (1, 39)),
    ("weights: [{to: a}, {to: b}, {to: a}]", "duplicate-target", (1, 34)),
    *(
        (WEIGHT.format(to), "path-outside", (1, 16))
        for to in ("/a", "../a", "a/../b", "a/", "a\\b", ".", "./", "./a", "a//b", "a/.", "a/./b")
    ),
    (WEIGHT.format('"a\\0b"'), "path-outside", (1, 16)),
    *((WEIGHT.format(to), "reserved-target", (1, 16)) for to in sorted(RESERVED_TARGETS)),
    (WEIGHT.format("clarifai_runtime/x"), "reserved-target", (1, 16)),
    (WEIGHT.format("modèle"), "file-name", (1, 16)),
    (WEIGHT.format('"a\\ab"'), "file-name", (1, 16)),
    *(
        (SOURCE.format(source), "weight-source", (1, 25))
        for source in (
            *("ftp://h/x", "s3://bucket", "s3://b@c/x", "s3:///x", "https://h", "https://a@h/x"),
            *("http://h/", "http://a@h/x", "hf://repo/file", "hf://repo@main", "hf://repo@main/"),
            *("hf://@main/x", "HF://repo"),
        )
    ),
    ('weights: [{to: x, from: "a\\0"}]', "weight-source", (1, 25)),
    ("storage: {bucket: No}", "bucket-name", (1, 19)),
    *((STORAGE.format(f"prefix: {p}"), "storage-prefix", (1, 35)) for p in ("a/../b", ".", "a\\b")),
    (STORAGE.format("endpoint_url: 'https://a:b@h'"), "address-credentials", (1, 41)),
    (STORAGE.format("endpoint_url: 'a@h'"), "address-credentials", (1, 41)),
    (STORAGE.format("public_base_url: 'https://a@h'"), "address-credentials", (1, 44)),
    (STORAGE.format("endpoint_url: 'https://h?x'"), "address-query", (1, 41)),
    (STORAGE.format("public_base_url: 'https://h#x'"), "address-query", (1, 44)),
    ("clarifai: {api_base: 'https://a@h'}", "address-credentials", (1, 22)),
    (f"model: {{description: {TOKEN}}}", "secret-in-manifest", (1, 22)),
    (f"triton: {{parameters: {{a: {TOKEN}}}}}", "secret-in-manifest", (1, 26)),
    (f"model: {{labels: [a, {TOKEN}]}}", "secret-in-manifest", (1, 21)),
]


@pytest.mark.parametrize(("text", "code", "place"), REFUSED)
def test_what_is_refused(text: str, code: str, place: tuple[int, int]) -> None:
    """One problem, where it stands."""
    assert [(p.code, (p.line, p.column)) for p in found(text)] == [(code, place)]


LET_THROUGH = [
    model("visual-detector", "shapes: {image: [8, 8]}\ntriton: {ragged: true}"),
    model("visual-embedder", "shapes: {image: [8, 8], embeddings: [8]}"),
    model("text-embedder", "shapes: {embeddings: [8]}"),
    model("text-to-text", "triton: {streaming: true}"),
    model("visual-classifier", "triton: {streaming: false}"),
    model("text-to-text", "triton: {ragged: false}"),
    model("no-such-type", "shapes: {image: [8, 8]}\ntriton: {ragged: true, streaming: true}"),
    "model: {type: [1]}",
    "model: {labels: [a, b, 1, 1, A]}",
    "model: {labels: labels.txt}",
    model("text-to-text", "triton: {dynamic_batching: {preferred_batch_size: [1]}}"),
    "triton: {max_batch_size: 9, dynamic_batching: {preferred_batch_size: [9, x, true]}}",
    "triton: {max_batch_size: x, dynamic_batching: {preferred_batch_size: [99]}}",
    "triton: {dynamic_batching: {preferred_batch_size: 99}}",
    model("visual-detector", "triton: {streaming: false, dynamic_batching: {x: 1}}"),
    "triton: {response_cache: true}",
    "triton: {response_cache: false}\nparams: [{name: a}]",
    "params: [{name: a}, {name: 1}, {name: 1}, 2]",
    "params: 1\nweights: 1",
    "weights: [{to: a, from: b}, {to: 1, from: 1}, {to: 1}, {to: ''}, 2]",
    WEIGHT.format("a..b/c.bin"),
    WEIGHT.format("sub/model.py"),
    *(
        SOURCE.format(source)
        for source in (
            *("s3://bucket/a/b", "S3://bucket/a", "https://h/a", "http://h:80/a@b", "a/b.bin"),
            *("hf://org/repo@main/a/b", "s3://${env:B}", "C:/x"),
        )
    ),
    "storage: {bucket: '${env:BUCKET}', prefix: a/b.c}",
    "storage: {bucket: '', prefix: ''}",
    STORAGE.format("endpoint_url: 'https://${env:USER}@h'"),
    STORAGE.format("endpoint_url: 'https://h/path', public_base_url: 'http://h:9000'"),
    "clarifai: {api_base: 'https://h?x'}",
    "clarifai: {api_base: h}",
    STORAGE.format("endpoint_url: 'https://'"),
    f"weights: [{{to: x, from: y, sha256: {'0f' * 32}}}]",
    "model: {description: nothing to hide}",
]


@pytest.mark.parametrize("text", LET_THROUGH)
def test_what_is_let_through(text: str) -> None:
    """Near to what is refused; what has another type is told by the schema alone."""
    assert found(text) == []


def test_a_token_in_place_of_a_digest_is_no_secret() -> None:
    """64 hex digits look like one; any other key is looked at."""
    digest = "0123456789abcdef" * 2
    assert found(f"weights: [{{to: x, from: y, sha256: CLARIFAI_PAT={digest}}}]") == []


def test_several_are_told_at_once_and_in_order() -> None:
    """Each label and each parameter that comes again names the first."""
    several = found("model: {labels: [a, a, a]}\nparams: [{name: b}, {name: b}]")
    assert [p.message for p in several] == [
        "label 'a' is already label 1",
        "label 'a' is already label 1",
        "parameter 'b' is already number 1",
    ]


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        *(("abc", True), ("ab", False), ("a" * 63, True), ("a" * 64, False), ("a-b.c", True)),
        *(("a..b", False), ("a.-b", False), ("-ab", False), ("ab-", False)),
        *(("A-b", False), ("a_b", False), ("1.2.3.4", False), ("1.2.3.4.5", True), ("a\n", False)),
        *(("xn--abc", False), ("axn--b", True), ("abc\n", False), (".ab", False), ("ab.", False)),
    ],
)
def test_names_of_buckets(name: str, taken: bool) -> None:
    """As S3 takes them."""
    assert is_bucket(name) == taken


@pytest.mark.parametrize(("text", "code", "place"), REFUSED)
def test_what_can_be_done_is_said(text: str, code: str, place: tuple[int, int]) -> None:
    """Unless the message says it all."""
    (problem,) = found(text)
    plain = ("duplicate-param", "duplicate-target", "streaming-type", "file-name", "preferred-none")
    says_it = code.startswith(plain) or "null character" in problem.message
    assert bool(problem.hint) != says_it
