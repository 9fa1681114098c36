"""YAML as people mean it: YAML 1.2 scalars, places, and what is refused where."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
import yaml

from clarifai_build.errors import ManifestError, Problem
from clarifai_build.manifest.document import MAX_BYTES, Document, PureParser, parse, read
from clarifai_build.manifest.yaml_reader import (
    MAX_ALIASED,
    MAX_DEPTH,
    MAX_DIGITS,
    SourceLocation,
    core_scalar,
)

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
    assert valid_examples
    for path in valid_examples:
        fast, slow = read(path), parse(path.read_bytes(), str(path), PureParser)
        assert (fast.data, fast.keys, fast.values) == (slow.data, slow.keys, slow.values)


def test_a_yaml_library_without_its_c_part_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where it was built from source without libyaml."""
    monkeypatch.setitem(sys.modules, "yaml.cyaml", None)
    assert parse("model: {id: lines}", "m.yaml").data == {"model": {"id": "lines"}}


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


PARSERS = [None, PureParser]


def refusal(raw: bytes | str, parser: object = None) -> Problem:
    """Return the one problem of a text that gives nothing to work with."""
    with pytest.raises(ManifestError) as caught:
        parse(raw, "m.yaml", parser)  # type: ignore[arg-type]
    (problem,) = caught.value.problems
    assert problem.file == "m.yaml"
    return problem


REFUSED = [
    (b"a: 1\nb: \xff", "not-utf8", (2, 4)),
    (b"\xff", "not-utf8", (1, 1)),
    ("é: 1\r\nb: \x07".encode(), "yaml-character", (2, 4)),
    (b"#" * (MAX_BYTES + 1), "manifest-too-big", (1, 1)),
    (b"a:\n\tb: 1", "yaml-tab", (2, 1)),
    (b"a: 1\nb: [1, 2\n\n", "yaml-syntax", (2, 4)),
    (b"a: 1\nb: ]\n", "yaml-syntax", (2, 4)),
    (b"a: 'b\n\n", "yaml-syntax", (1, 4)),
    (b"--- 1\n--- 2", "yaml-documents", (2, 1)),
    (b"a: 1\n[b]: 2", "yaml-key", (2, 1)),
    (b"a: &x [*x]", "yaml-alias", (1, 8)),
    (b"a: *x", "yaml-alias", (1, 4)),
    (b"a: " + b"1" * (MAX_DIGITS + 1), "yaml-number", (1, 4)),
    (b"a: 0x" + b"1" * (MAX_DIGITS - 1), "yaml-number", (1, 4)),
]


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(("raw", "code", "place"), REFUSED)
def test_what_is_refused_is_refused_at_its_place(
    raw: bytes, code: str, place: tuple[int, int], parser: object
) -> None:
    """By either parser of PyYAML."""
    problem = refusal(raw, parser)
    assert (problem.code, problem.line, problem.column) == (code, *place)


def test_as_much_as_is_allowed_is_read(tmp_path: Path) -> None:
    """To the byte."""
    (tmp_path / "m").write_bytes(b"a: 1 #".ljust(MAX_BYTES, b"#"))
    assert read(tmp_path / "m").data == {"a": 1}


@pytest.mark.parametrize("parser", PARSERS)
def test_nesting_has_a_limit(parser: type[yaml.parser.Parser] | None) -> None:
    """To the level."""
    document = parse("[" * MAX_DEPTH + "1" + "]" * MAX_DEPTH, "m.yaml", parser)
    assert document.get(*[0] * MAX_DEPTH) == 1
    deeper = "[" * (MAX_DEPTH + 1) + "1" + "]" * (MAX_DEPTH + 1)
    assert refusal(deeper, parser).code == "yaml-depth"


def test_numbers_have_a_limit() -> None:
    """As many digits as Python takes fast; a text may be of any length."""
    assert parse("a: " + "1" * MAX_DIGITS).get("a") == int("1" * MAX_DIGITS)
    assert parse(f"a: '{'1' * 999}'\nb: {'x' * 999}").get("a") == "1" * 999


def test_aliases_stand_for_what_they_name() -> None:
    """As it is at that time, and counted each time that it is used."""
    document = parse("a: &x {b: [1]}\nc: *x\nd: &x 2\ne: *x\n")
    assert document.data == {"a": {"b": [1]}, "c": {"b": [1]}, "d": 2, "e": 2}
    items = ", ".join(["1"] * 9)
    fits = MAX_ALIASED // 10
    many = f"a: &x [{items}]\nb: [{', '.join(['*x'] * fits)}]\n"
    assert len(parse(many).get("b") or ()) == fits  # type: ignore[arg-type]
    problem = refusal(many.replace("b: [", "b: [*x, "))
    assert (problem.code, problem.message) == ("yaml-alias", "aliases expand to too much")


def test_what_can_be_gone_on_with_is_told_beside_the_data() -> None:
    """Tags, and keys that come twice, whatever stands at them."""
    document = parse("a: !x 1\nb: {c: 1, c: {d: [1, {e: 2}]}, f: 3}\nb: 4\n", "m.yaml")
    assert document.data == {"a": "1", "b": {"c": 1, "f": 3}}
    assert [(p.code, p.line, p.column) for p in document.problems] == [
        ("yaml-tag", 1, 4),
        ("duplicate-key", 2, 11),
        ("duplicate-key", 3, 1),
    ]
    assert "already set on line 2" in document.problems[2].message


def test_files_that_can_not_be_read_are_named(tmp_path: Path) -> None:
    """Only where there is none does `init` help; a name may stand in for the path."""
    for path, hints in ((tmp_path / "nowhere", True), (tmp_path, False)):
        with pytest.raises(ManifestError) as caught:
            read(path, "called.yaml")
        (problem,) = caught.value.problems
        assert (problem.code, problem.file) == ("unreadable-file", "called.yaml")
        assert bool(problem.hint) == hints
    (tmp_path / "m").write_bytes(b"a: 1")
    assert read(tmp_path / "m").name == str(tmp_path / "m")
    assert read(tmp_path / "m", "called.yaml").name == "called.yaml"


def test_values_are_found_by_their_path() -> None:
    """What is not there is None, whatever stands in its place."""
    document = parse("a: {b: [1, {c: 2}]}\nd: text\n")
    assert document.get("a", "b", 1, "c") == 2
    assert document.get() == document.data
    for path in (("x",), ("a", "b", 2), ("a", "b", "c"), ("a", 0), ("d", "e"), ("d", 0)):
        assert document.get(*path) is None


def test_places_are_of_keys_or_of_values() -> None:
    """A section stands at its key; a scalar at itself, or where that is asked for at its key."""
    document = parse("a:\n  b: 12\n  c: [x]\n")
    assert document.place(("a",)) == SourceLocation(1, 1, 1)
    assert document.place(("a", "b")) == SourceLocation(2, 6, 2)
    assert document.place(("a", "b"), key=True) == SourceLocation(2, 3, 1)
    assert document.place(("a", "c")) == SourceLocation(3, 3, 1)
    assert document.place(("a", "c", 0)) == SourceLocation(3, 7, 1)
    assert document.place(("a", "c", 9)) == SourceLocation(3, 3, 1)
    assert Document("m", (), None).place(("a",)) == SourceLocation(1, 1)
    assert Document("m", (), None).source(("a",)) == ""


def test_a_problem_points_and_hides_tokens() -> None:
    """In its message and its hint."""
    token = "hf_" + "aB" * 17
    document = parse("a: bcd\n", "m.yaml")
    problem = document.problem("code", f"not {token}", ("a",), hint=f"or {token}")
    assert (problem.file, problem.line, problem.column, problem.length) == ("m.yaml", 1, 4, 3)
    assert token not in f"{problem.message}{problem.hint}"
    assert problem.message.startswith("not ")
    assert document.problem("code", "m", ("a",)).hint is None
    assert document.problem("code", "m", ("a",)).severity == "error"
    assert document.problem("code", "m", ("a",), severity="warning").severity == "warning"
