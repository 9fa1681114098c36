"""YAML as people mean it: YAML 1.2 scalars, places, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from clarifai_build.errors import ManifestError
from clarifai_build.manifest.document import MAX_BYTES, PureParser, parse, read
from clarifai_build.manifest.yaml_reader import SourceLocation, core_scalar

SCALARS = [
    ("no", "no"),
    ("on", "on"),
    ("yes", "yes"),
    ("1:30", "1:30"),
    ("2024-01-31", "2024-01-31"),
    ("0123", 123),
    ("0o17", 15),
    ("0xFF", 255),
    ("1_000", "1_000"),
    ("0b11", "0b11"),
    ("3.10", 3.1),
    ("1e3", 1000.0),
    (".5", 0.5),
    ("+.inf", math.inf),
    ("true", True),
    ("False", False),
    ("TRUE", True),
    ("tRUE", "tRUE"),
    ("null", None),
    ("~", None),
    ("", None),
    ("nUll", "nUll"),
    ("=", "="),
    ("٣", "٣"),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_plain_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    """Nothing is silently something else than the core schema says."""
    found = core_scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_quoted_and_tagged_scalars_are_strings() -> None:
    """Quotes and !!str keep text as it is."""
    assert parse("a: '1'\nb: \"true\"\nc: !!str 3.10\n").data == {
        "a": "1",
        "b": "true",
        "c": "3.10",
    }


def test_places_count_from_one_in_characters() -> None:
    """A place covers a key or a value exactly, whatever stands before it on the line."""
    document = parse("é: {ключ: [a, 'b c']}\n")
    assert document.place(("é", "ключ"), key=True) == SourceLocation(1, 5, 4)
    assert document.place(("é", "ключ", 1)) == SourceLocation(1, 15, 5)
    assert document.source(("é", "ключ", 1)) == "'b c'"


def test_a_place_that_is_not_there_falls_back_to_its_parent() -> None:
    """What is missing is told at what it is missing from."""
    document = parse("model:\n  id: a\n")
    assert document.place(("model", "type")) == SourceLocation(1, 1, 5)
    assert document.place(("storage",)) == SourceLocation(1, 1, 1)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_line_ends_do_not_move_places(line_break: str) -> None:
    """Unix, Windows and old Mac line ends count alike."""
    document = parse(line_break.join(["a: 1", "b: 2", "c: x", ""]))
    assert document.place(("c",)) == SourceLocation(3, 4, 1)


def test_the_parser_without_libyaml_gives_the_same(valid_examples: list[Path]) -> None:
    """PyYAML's own parser is a full stand-in for the C one."""
    for path in valid_examples:
        fast, slow = read(path), parse(path.read_bytes(), str(path), PureParser)
        assert (fast.data, fast.keys, fast.values) == (slow.data, slow.keys, slow.values)


@pytest.fixture
def valid_examples() -> list[Path]:
    """Manifests without problems."""
    folder = Path(__file__).parents[2] / "examples" / "valid"
    return sorted(folder.glob("*.clarifai.yaml"))


def test_a_file_beyond_one_mebibyte_is_refused(tmp_path: Path) -> None:
    """No more than the limit is even read."""
    path = tmp_path / "clarifai.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ManifestError) as caught:
        read(path)
    assert [problem.code for problem in caught.value.problems] == ["manifest-too-big"]


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    """Not a traceback."""
    with pytest.raises(ManifestError) as caught:
        read(tmp_path / "clarifai.yaml")
    assert [problem.code for problem in caught.value.problems] == ["unreadable-file"]


def test_deep_nesting_ends_before_the_stack_does() -> None:
    """A hundred thousand brackets are one problem."""
    with pytest.raises(ManifestError) as caught:
        parse("[" * 100_000)
    assert caught.value.problems[0].code == "yaml-depth"


def test_every_duplicate_is_told() -> None:
    """Duplicate keys leave the first value, and all are found at once."""
    document = parse("a: 1\na: {b: 2}\nc: {d: 1, d: [1]}\n")
    assert document.data == {"a": 1, "c": {"d": 1}}
    assert [problem.line for problem in document.problems] == [2, 3]
