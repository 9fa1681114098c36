"""The `test` section of a manifest: whether the model can be asked like that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clarifai_build.manifest.document import parse
from clarifai_build.validation.trial_request import problems


def found(tmp_path: Path, model_type: str, test: str, params: str = "[]") -> list[tuple[Any, ...]]:
    """Return code, line and message of what is wrong."""
    text = f"model: {{id: m, type: {model_type}}}\nparams: {params}\ntest:\n{test}"
    document = parse(text.encode(), "clarifai.yaml")
    return [(one.code, one.line, one.message) for one in problems(document, tmp_path)]


def test_inputs_of_the_type_are_fine(tmp_path: Path) -> None:
    """Texts and files, alone or together where the type takes both."""
    (tmp_path / "cat.png").write_bytes(b"png")
    assert not found(tmp_path, "text-to-text", "  inputs: [{text: Hi}]")
    assert not found(tmp_path, "visual-classifier", "  inputs: [{image: cat.png}]")
    both = "  inputs: [{image: cat.png, text: cat}, {text: dog}]"
    assert not found(tmp_path, "multimodal-embedder", both)


@pytest.mark.parametrize(
    ("model_type", "given", "code", "message"),
    [
        ("text-to-text", "{image: cat.png}", "trial-input", "takes no image"),
        ("visual-classifier", "{text: Hi}", "trial-input", "takes no text"),
        ("text-to-text", "{}", "trial-input", "needs text"),
        ("visual-classifier", "{image: gone.png}", "trial-image", "'gone.png' can't be read"),
        ("visual-classifier", "{image: /dev/zero}", "trial-image", "not a regular file"),
        ("visual-classifier", "{image: .}", "trial-image", "can't be read"),
    ],
)
def test_what_the_type_does_not_take_is_named(
    tmp_path: Path, model_type: str, given: str, code: str, message: str
) -> None:
    """With its place."""
    wrong = found(tmp_path, model_type, f"  inputs:\n  - {given}")
    assert (code, 5) in [(one[0], one[1]) for one in wrong]
    assert any(message in one[2] for one in wrong)


def test_parameters_are_declared_and_of_their_types(tmp_path: Path) -> None:
    """A bool is no number."""
    params = "[{name: n, type: number}, {name: b, type: boolean}, {name: s, type: secret}]"
    good = "  params: {n: 1, b: true, s: x}"
    assert not found(tmp_path, "text-to-text", good, params)
    bad = "  params: {n: true, b: 1, s: 2, gone: x}"
    wrong = found(tmp_path, "text-to-text", bad, params)
    assert [one[0] for one in wrong] == ["trial-param"] * 4
    assert "there is no parameter 'gone'" in wrong[-1][2]
