"""Lists of labels in other forms, and labels that only look like one."""

from __future__ import annotations

import json

import pytest

from clarifai_build.validation.contents.label_forms import form_problem

LABEL_MAP = 'item {\n  id: 1\n  name: "cat"\n}\nitem {\n  id: 2\n  name: "dog"\n}\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"0": "cat", "1": "dog"}', "JSON"),
        (json.dumps({"id2label": {"0": "cat"}}, indent=2), "JSON"),
        ('\n["cat", "dog"]\n', "JSON"),
        (LABEL_MAP, "TensorFlow"),
        (f"# ours\n{LABEL_MAP}", "TensorFlow"),
        ("1: cat\n2: dog", "not its place"),
        ("1:cat\n0:dog", "not its place"),
        ("0,cat\n2,dog", "not its place"),
    ],
)
def test_a_class_that_would_lose_its_place_is_an_error(text: str, words: str) -> None:
    """With what it is, and how to write it."""
    problem = form_problem(text.split("\n"), "labels.txt")
    assert problem is not None
    assert (problem.code, problem.severity, problem.file) == ("labels-form", "error", "labels.txt")
    assert words in problem.message
    assert "a line each" in (problem.hint or "")


@pytest.mark.parametrize("form", ["{}: {}", "{} {}", "{}\t{}", "{}, {}", "{} = {}"])
def test_numbers_that_are_the_places_are_a_warning(form: str) -> None:
    """No class moves; they would show in each prediction."""
    lines = [form.format(number, name) for number, name in enumerate(("cat", "dog", "eel"))]
    problem = form_problem(lines, "labels.txt")
    assert problem is not None
    assert (problem.code, problem.severity) == ("labels-form", "warning")


@pytest.mark.parametrize(
    "text",
    [
        "cat\ndog",
        "1 star\n2 stars\n3 stars",
        "0-2\n3-9\n10-19",
        "0\n1\n2",
        "1,000\n2,000",
        "10:30\n11:30",
        "0: cat\ndog",
        "n01440764 tench\nn01443537 goldfish",
        "{\n}x",
        "[PAD]\n[UNK]",
        "item\ncat",
        "0: cat",
    ],
)
def test_labels_are_labels(text: str) -> None:
    """Whatever digits and brackets are in them."""
    assert form_problem(text.split("\n"), "labels.txt") is None
