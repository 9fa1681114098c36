"""Invariants of reading and checking manifests, over drawn ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from clarifai_build.errors import ManifestError, Problem
from clarifai_build.manifest import environment
from clarifai_build.manifest.document import Document, parse
from clarifai_build.manifest.parse import from_document
from clarifai_build.manifest.schema import manifest_schema
from clarifai_build.validation import rules
from clarifai_build.validation.schema_checker import schema_problems
from support.manifests import manifests

VALIDATOR = Draft7Validator(manifest_schema())
# Manifests are big to draw, and machines are busy at times.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
JUNK = [None, True, -1, 1.5, "", "junk", [], ["junk"], [[0]], {}, {"junk": 0}]


def written(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1)


def everything(document: Document) -> list[Problem]:
    resolved = environment.resolve(document, {})
    return [
        *document.problems,
        *resolved.problems,
        *schema_problems(resolved.document),
        *rules.problems(resolved.document),
    ]


def stands_inside(problem: Problem, text: str) -> bool:
    lines = text.split("\n")
    assert problem.line is not None
    assert problem.column is not None
    return (
        1 <= problem.line <= len(lines) and 1 <= problem.column <= len(lines[problem.line - 1]) + 1
    )


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps: Any = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        steps = enumerate(value)
    found = [path] if path else []
    for step, item in steps:
        found += places(item, (*path, step))
    return found


@PATIENT
@given(manifests())
def test_what_the_schema_accepts_round_trips(data: Any) -> None:
    """A drawn manifest is read as it was written, passes the schema, and becomes values."""
    document = parse(written(data))
    assert document.data == data
    assert schema_problems(document) == []
    manifest = from_document(document, Path("/model/clarifai.yaml"))
    assert manifest.model.id == data["model"]["id"]
    assert from_document(parse(written(document.data)), manifest.path) == manifest


@PATIENT
@given(manifests())
def test_every_value_knows_its_place(data: Any) -> None:
    """The text at the place of a key or a plain value is that key or value."""
    document = parse(written(data))
    for path in places(data):
        value = document.get(*path)
        if isinstance(value, str) and json.dumps(value, ensure_ascii=False).isprintable():
            assert document.source(path) == json.dumps(value, ensure_ascii=False)
        if isinstance(path[-1], str):
            line, column, length = document.place(path, key=True)
            assert document.lines[line - 1][column - 1 : column - 1 + length] == f'"{path[-1]}"'


@PATIENT
@given(manifests(), st.data())
def test_the_verdict_is_that_of_a_general_validator(data: Any, draw: st.DataObject) -> None:
    """On valid and on damaged manifests, our reading of the schema and jsonschema's agree."""
    path = draw.draw(st.sampled_from(places(data)))
    parent = parse(written(data)).data
    target = parent
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = draw.draw(st.sampled_from(JUNK))
    document = parse(written(parent))
    assert (schema_problems(document) == []) == VALIDATOR.is_valid(parent)


@PATIENT
@given(manifests(), st.data())
def test_a_misspelt_key_is_found_at_its_place(data: Any, draw: st.DataObject) -> None:
    """Renaming any one key of the schema gives a problem that points into the file."""
    named = [
        path
        for path in places(data)
        if isinstance(path[-1], str) and not {"parameters", ("test", "params")} & {*path, path[:2]}
    ]
    path = draw.draw(st.sampled_from(named))
    target = parent = parse(written(data)).data
    for step in path[:-1]:
        target = target[step]
    target[f"{path[-1]}x"] = target.pop(path[-1])
    text = written(parent)
    problems = everything(parse(text))
    assert "unknown-key" in {problem.code for problem in problems}
    assert all(stands_inside(problem, text) for problem in problems)


@PATIENT
@given(manifests(), st.data())
def test_any_damage_to_the_text_gives_problems_not_tracebacks(
    data: Any, draw: st.DataObject
) -> None:
    """Whatever one character becomes, the result is a document or a problem inside the file."""
    text = written(data)
    at = draw.draw(st.integers(0, len(text)))
    text = text[:at] + draw.draw(st.text(max_size=3)) + text[at + 1 :]
    try:
        problems = everything(parse(text.encode("utf-8", "replace")))
    except ManifestError as error:
        problems = list(error.problems)
    shown = "\n".join(parse_lines(text))
    assert all(stands_inside(problem, shown) for problem in problems)


def parse_lines(text: str) -> list[str]:
    for line_break in ("\r\n", "\r", "\x85", "\u2028", "\u2029"):
        text = text.replace(line_break, "\n")
    return text.removeprefix("\ufeff").split("\n")


@settings(max_examples=1000, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_never_crash(raw: bytes) -> None:
    """Any file is a document with problems, or refused as one."""
    try:
        problems = everything(parse(raw))
    except ManifestError as error:
        problems = list(error.problems)
    assert problems


@PATIENT
@given(manifests(), st.sampled_from(["\ufeff", ""]), st.sampled_from(["\r\n", "\n"]))
def test_bom_and_line_ends_change_nothing(data: Any, mark: str, line_break: str) -> None:
    """A byte order mark and Windows line ends are read over."""
    text = mark + written(data).replace("\n", line_break)
    assert parse(text.encode()).data == data


def test_a_mutation_of_the_whole_document_is_a_problem() -> None:
    """A manifest that is no mapping is told as such."""
    for text in ("", "[]", "text", "- a", "null"):
        assert [problem.code for problem in everything(parse(text))] == ["wrong-type"]
