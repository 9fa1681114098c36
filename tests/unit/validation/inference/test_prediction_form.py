"""Whether `get_predictions` returns one output or a list is read from its code, or left open."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import indent

import pytest

from clarifai_build.manifest.document import parse
from clarifai_build.validation.inference.inference_module import problems
from clarifai_build.validation.inference.prediction_form import annotated_form, returned_form


def model(body: str, more: str = "", arguments: str = "self, x", returns: str = "") -> str:
    """Return the code of a model whose method has this body."""
    return (
        f"class InferenceModel:\n    def get_predictions({arguments}){returns}:\n"
        f"{indent(body, ' ' * 8)}\n{indent(more, ' ' * 4)}"
    )


ONE = [
    "return TextOutput('a')",
    "return output.VisualDetectorOutput(a, b, c)",
    "return config.inference.return_type(x)",
    "if x: return TextOutput('a')\nreturn TextOutput('b')",
    "made = EmbeddingOutput(x)\nreturn made",
    "made: MasksOutput = MasksOutput(x)\nreturn made",
    "return ImageOutput(x) if x else ImageOutput(y)",
    "def inner(): return [1]\nreturn ClassifierOutput(inner())",
]
MANY = [
    "return []",
    "return [TextOutput(item) for item in x]",
    "return (TextOutput(item) for item in x)",
    "return list(map(TextOutput, x))",
    "return map(TextOutput, x)",
    "return TextOutput('a'),",
    "outputs = []\nfor item in x:\n    outputs.append(TextOutput(item))\nreturn outputs",
    "outputs: list = []\nreturn outputs",
    "for item in x:\n    yield TextOutput(item)",
    "yield from x",
    "f = lambda: TextOutput('a')\nreturn [f()]",
]
OPEN = [
    "raise NotImplementedError()",
    "return self.model(x)",
    "return outputs",
    "made = TextOutput(x)\nmade = [made]\nreturn made",
    "if x: return []\nreturn TextOutput('a')",
    "return [] if x else TextOutput('a')",
    "return",
    "class TextOutput: ...\nreturn x[0]",
    "made = other = None\nreturn made",
]


@pytest.mark.parametrize(
    ("body", "form"),
    [(body, form) for form, bodies in (("item", ONE), ("list", MANY)) for body in bodies],
)
def test_what_every_return_agrees_on(body: str, form: str) -> None:
    """Outputs by their classes' names, lists by how they are made, names by what is assigned."""
    found = returned_form(ast.parse(model(body)))
    assert found is not None
    assert found.form == form


@pytest.mark.parametrize("body", OPEN)
def test_what_is_open_stays_open(body: str) -> None:
    """Nothing is guessed."""
    assert returned_form(ast.parse(model(body))) is None


def test_own_methods_are_followed() -> None:
    """As far as they end, and to the class's own alone."""
    helper = "def one(self, x):\n    return self.two(x)\ndef two(self, x):\n    return [x]"
    found = returned_form(ast.parse(model("return self.one(x)", helper)))
    assert (found and (found.form, found.line, found.column)) == ("list", 3, 9)
    endless = "def one(self, x):\n    return self.one(x)"
    assert returned_form(ast.parse(model("return self.one(x)", endless))) is None
    assert returned_form(ast.parse(model("return other.one(x)", helper))) is None
    assert returned_form(ast.parse("class InferenceModel: ...\ndef get_predictions(): ...")) is None


@pytest.mark.parametrize(
    ("arguments", "returns", "form"),
    [
        ("self, x: list", "", "list"),
        ("self, x", " -> typing.List[str]", "list"),
        ("self, x: List[str], y=1", "", "list"),
        ("self, x: str", " -> TextOutput", None),
        ("self, x", "", None),
    ],
)
def test_annotations_say_list(arguments: str, returns: str, form: str | None) -> None:
    """What clarifai 9.11 wrote into the model that it generated."""
    code = model("return x", arguments=arguments, returns=returns)
    assert annotated_form(ast.parse(code)) == form
    assert annotated_form(ast.parse("x = 1")) is None


@pytest.mark.parametrize(
    ("per_item", "body", "said", "way_out"),
    [
        ("false", "\nreturn TextOutput('a')", "returns one output", "per_item: true"),
        ("true", "\nreturn [TextOutput('a')]", "returns a list", "remove `per_item`"),
    ],
)
def test_code_that_can_only_fail_is_a_problem(
    tmp_path: Path, per_item: str, body: str, said: str, way_out: str
) -> None:
    """It would load, and fail every request; what is open or fits is fine."""
    written = "model: {id: m, type: text-to-text}\ncode: {per_item: %s}\n"
    document = parse(written % per_item)
    file = tmp_path / "inference.py"
    file.write_text(model(body))
    (found,) = problems(document, file, "inference.py")
    assert (found.code, found.severity) == ("prediction-form", "error")
    assert (found.line, found.column) == (4, 9)
    assert said in found.message
    assert way_out in (found.hint or "")
    other = parse(written % ("true" if per_item == "false" else "false"))
    assert list(problems(other, file, "inference.py")) == []
    file.write_text(model("return x"))
    assert list(problems(document, file, "inference.py")) == []
