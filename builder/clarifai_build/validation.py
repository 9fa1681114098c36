"""Holds a document against the schema: every difference becomes a problem with its place.

jsonschema finds the differences; here they get a code, words for people, and a place.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from clarifai_build import resources, wording
from clarifai_build.document import Document, Steps, Value
from clarifai_build.problem import Problem

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

Schema = Any  # bool | dict[str, Any]


class Finding(NamedTuple):
    """A difference between a value and its schema. `key` points at the key instead of the value."""

    code: str
    message: str
    path: Steps
    hint: str | None = None
    key: bool = False


@functools.cache
def manifest_schema() -> Schema:
    """Return the schema of a manifest."""
    return json.loads(resources.schema_text())


def schema_problems(document: Document) -> list[Problem]:
    """Return what the schema has against the document, one problem a place."""
    problems: dict[Steps, Problem] = {}
    for error in _validator().iter_errors(document.data):
        because = _because(document, error)
        for code, message, path, hint, key in _findings(document, error):
            # A missing key is told at its parent, which may lack several.
            slot = (*path, message) if code == "missing-key" else path
            if slot not in problems:
                problems[slot] = document.problem(code, message + because, path, key=key, hint=hint)
    return list(problems.values())


def matches(definition: str, text: str) -> bool:
    """Say whether text has the form that one of the schema's definitions asks for."""
    return bool(_compiled(manifest_schema()["definitions"][definition]["pattern"]).match(text))


def resolve(root: Schema, schema: Schema) -> Schema:
    """Follow a `$ref` into the schema's definitions."""
    while "$ref" in schema:
        schema = root["definitions"][schema["$ref"].removeprefix("#/definitions/")]
    return schema


@functools.cache
def _validator() -> Validator:
    """Return the schema, compiled once. Numbers are finite, and `$` is the end of the text."""
    from jsonschema import Draft7Validator, ValidationError, validators

    def pattern(
        validator: Validator, pattern: str, value: Value, _schema: Schema
    ) -> Iterator[ValidationError]:
        if validator.is_type(value, "string") and not _compiled(pattern).search(value):
            yield ValidationError("the text has another form")

    def is_number(_checker: Any, value: Value) -> bool:
        numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
        return numeric and math.isfinite(value)

    types = Draft7Validator.TYPE_CHECKER.redefine("number", is_number)
    extend: Any = validators.extend
    strict: type[Validator] = extend(Draft7Validator, {"pattern": pattern}, type_checker=types)
    return strict(manifest_schema())


def _findings(document: Document, error: ValidationError) -> Iterator[Finding]:
    """Put one error of jsonschema into words: a keyword may speak of several places."""
    path: Steps = tuple(error.absolute_path)
    value: Any = error.instance
    wanted: Any = error.validator_value
    schema: Schema = error.schema
    match error.validator:
        case "type":
            types = [wanted] if isinstance(wanted, str) else wanted
            message, hint = wording.wrong_type(path, types, value, document.source(path))
            yield Finding("wrong-type", message, path, hint)
        case "additionalProperties":
            known = list(schema.get("properties", {}))
            for name in value.keys() - set(known):
                hint = wording.unknown_key(name, known, _homes(name))
                yield Finding("unknown-key", f"unknown key '{name}'", (*path, name), hint, True)
        case "required":
            for name in wanted:
                if name not in value:
                    where = f" in {wording.dotted(path)}" if path else ""
                    hint = wording.example(name, _examples(path, name))
                    yield Finding("missing-key", f"'{name}' is missing{where}", path, hint, True)
        case "uniqueItems":
            for index, item in enumerate(value):
                if item in value[:index]:
                    message = f"{wording.shown(item)} stands here twice"
                    yield Finding("duplicate-item", message, (*path, index))
        case "enum" | "const":
            allowed = wanted if error.validator == "enum" else [wanted]
            message, hint = wording.not_allowed(path, value, allowed)
            yield Finding("not-allowed", message, path, hint)
        case "pattern" | "not":
            message = f"{wording.dotted(path)} can't be {wording.shown(value)}"
            code = "bad-value" if error.validator == "pattern" else "not-allowed"
            yield Finding(code, message, path, schema.get("patternErrorMessage"))
        case str(limit) if isinstance(wanted, int):
            yield Finding("out-of-range", wording.out_of_range(path, limit, value, wanted), path)
        case _:
            *_, (_step, rules, _path) = _trail(error)
            for name, rule in rules["properties"].items():
                if rule is False and name in document.get(*path):
                    message = f"'{name}' is not allowed"
                    yield Finding("forbidden-key", message, (*path, name), key=True)


def _because(document: Document, error: ValidationError) -> str:
    """Say which keys made the rule apply, where it stands under an `if`."""
    for step, schema, path in _trail(error):
        if step in ("then", "else"):
            return wording.because(document.get(*path), schema["if"])
    return ""


def _trail(error: ValidationError) -> Iterator[tuple[str | int, Schema, Steps]]:
    """Yield the steps through the schema to what was broken: where each starts, for which value.

    jsonschema leaves `$ref` and `if` out of this way, and ends it at `properties` for a property
    that is `false`.
    """
    root = schema = manifest_schema()
    places: Steps = tuple(error.absolute_path)
    path: Steps = ()
    steps = iter(error.absolute_schema_path)
    for step in steps:
        schema = resolve(root, schema) if isinstance(schema, dict) else schema
        yield step, schema, path
        schema = schema[step]
        if step in ("properties", "items", "additionalProperties") and len(path) < len(places):
            path = places[: len(path) + 1]
            schema = schema[next(steps)] if step == "properties" else schema
        elif not isinstance(schema, (dict, list)):
            return


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # In JSON Schema `$` is the end of the text; Python's also matches before a last line break.
    return re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern))


def walk() -> Iterator[tuple[Steps, Schema]]:
    """Yield every property of the schema with its path, outer ones first."""
    root = manifest_schema()

    def inside(schema: Schema, path: Steps) -> Iterator[tuple[Steps, Schema]]:
        schema = resolve(root, schema)
        if path and path[-1] != "*":
            yield path, schema
        for name, known in schema.get("properties", {}).items():
            yield from inside(known, (*path, name))
        if isinstance(schema.get("items"), dict):
            yield from inside(schema["items"], (*path, "*"))

    return inside(root, ())


def _homes(name: str) -> list[Steps]:
    return [path[:-1] for path, _ in walk() if path[-1] == name]


def _examples(path: Steps, name: str) -> Iterable[Value]:
    generic = tuple("*" if isinstance(step, int) else step for step in path)
    for known, schema in walk():
        if known == (*generic, name):
            return list(schema.get("examples", []))
    return []
