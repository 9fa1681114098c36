"""The module of the user's model: read and judged by what it defines, at the right place."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.manifest.document import parse
from clarifai_build.validation.inference.inference_module import problems
from clarifai_build.validation.load import examine

DOCUMENT = parse("model: {id: m, type: visual-detector}\n")


Told = tuple[str, "int | None", "int | None", "int | None"]


def found(tmp_path: Path, code: str | bytes) -> list[Told]:
    """Check a module; return code, line, column and length of each problem."""
    file = tmp_path / "inference.py"
    file.write_bytes(code.encode() if isinstance(code, str) else code)
    told = list(problems(DOCUMENT, file, "shown.py"))
    assert {problem.file for problem in told} <= {"shown.py"}
    return [(p.code, p.line, p.column, p.length) for p in told]


@pytest.mark.parametrize(
    "code",
    [
        "class InferenceModel:\n    def get_predictions(self): ...",
        "class InferenceModel:\n    def predict(self): ...",
        "class InferenceModel:\n    async def predict(self): ...",
        "import InferenceModel",
        "import x as InferenceModel",
        "x = InferenceModel = 1",
        "try:\n    from a import InferenceModel\nexcept ImportError:\n    InferenceModel = None",
        "class InferenceModel(object, TextToText, Mixin): ...",
        "class InferenceModel(base.Model): ...",
        "class InferenceModel(make()): ...",
        "InferenceModel = 1\nget_model_config('visual-detector')",
        "InferenceModel = 1\nx.get_model_config('visual-detector')",
        "InferenceModel = 1\nget_model_config()\nget_model_config(1)\nget_model_config(name)",
        "InferenceModel = 1\nother('text-to-text')\nx[0]('text-to-text')",
    ],
)
def test_what_may_be_a_model(tmp_path: Path, code: str) -> None:
    """Defined, imported, assigned or inherited; anything else in it is its own affair."""
    assert found(tmp_path, code) == []


def test_a_type_of_any_length_is_told_in_a_line(tmp_path: Path) -> None:
    """The manifest's value is shortened and escaped, as in every other message."""
    (tmp_path / "inference.py").write_text("InferenceModel = 1\nget_model_config('text-to-text')")
    manifest = tmp_path / "clarifai.yaml"
    manifest.write_text(f'version: 1\nmodel: {{id: a, type: "x\\e{"x" * 99_999}"}}\n')
    told = [p for p in examine(manifest, {}, offline=True).problems if p.code == "type-mismatch"]
    assert [len(problem.message) < 200 and "\x1b" not in problem.message for problem in told] == [
        True
    ]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("", [("inference-class", 1, 1, None)]),
        ("from a import InferenceModel as Other", [("inference-class", 1, 1, None)]),
        ("x.InferenceModel = 1", [("inference-class", 1, 1, None)]),
        ("def InferenceModel(): ...", [("inference-class", 1, 1, None)]),
        ("\nclass InferenceModel: ...", [("inference-method", 2, 7, 14)]),
        (
            "class InferenceModel(object, base.TextToText): ...",
            [("inference-method", 1, 7, 14)],
        ),
        ("class InferenceModel:\n    predict = 1", [("inference-method", 1, 7, 14)]),
        ("InferenceModel = 1\nget_model_config('text-to-text')", [("type-mismatch", 2, 18, 14)]),
        ("InferenceModel = 1\nc.get_model_config('x')", [("type-mismatch", 2, 20, 3)]),
        ("a = 1\n  b = 2", [("inference-syntax", 2, 3, None)]),
        (b"# coding: utf-8\nx = '\xff'", [("inference-syntax", 2, 1, None)]),
        (b"x\0", [("inference-syntax", 1, 1, None)]),
    ],
)
def test_what_is_none(
    tmp_path: Path, code: str | bytes, expected: list[tuple[str, int, int, int | None]]
) -> None:
    """With the place of what is wrong."""
    told = found(tmp_path, code)
    assert [(code, line) for code, line, _, _ in told] == [(c, line) for c, line, _, _ in expected]
    precise = [one for one in expected if one[0] != "inference-syntax"]
    assert [one for one in told if one[0] != "inference-syntax"] == [
        (code, line, column, length if length else told[0][3])
        for code, line, column, length in precise
    ]


def test_a_module_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    """As it was called."""
    (problem,) = problems(DOCUMENT, tmp_path, "shown.py")
    assert (problem.code, problem.file) == ("unreadable", "shown.py")
