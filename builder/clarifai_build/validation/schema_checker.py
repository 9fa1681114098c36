"""Holds a document against the schema: every difference becomes a problem with its place.

This reads the part of JSON Schema draft-07 that the schema uses, because importing jsonschema takes
longer than all else that `validate` does (docs/decisions/0008-schema-reader.md). A test holds both
to the same verdicts on drawn manifests, another refuses keywords that are not read here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from clarifai_build.errors import MOST_TOLD, Problem, untold
from clarifai_build.manifest.document import Document
from clarifai_build.manifest.schema import (
    Schema,
    compiled,
    examples,
    homes,
    manifest_schema,
    resolve,
)
from clarifai_build.manifest.yaml_reader import Steps, Value
from clarifai_build.validation import schema_messages
from clarifai_build.validation.limits import found_by
from clarifai_build.validation.schema_messages import format_value

# Of a text that has to have a form. An address may have a thousand characters.
_LONGEST = 4096


class Finding(NamedTuple):
    """A difference between a value and its schema. `key` points at the key instead of the value."""

    code: str
    message: str
    path: Steps
    hint: str | Callable[[], str | None] | None = None
    """What takes long to find is found where it is told."""
    key: bool = False


def schema_problems(document: Document) -> list[Problem]:
    """Return where the document breaks the schema, one problem a place.

    Those beyond the ones that are told (errors.MOST_TOLD) are there to be counted.
    """
    return found_by(_problems(document))


def _problems(document: Document) -> Iterator[Problem]:
    slots: set[Steps] = set()
    for code, message, path, hint, key in check(document, manifest_schema()):
        # A missing key is reported at its parent, which may lack several.
        slot = (*path, message) if code == "missing-key" else path
        if slot in slots:
            continue
        slots.add(slot)
        if len(slots) > MOST_TOLD:
            yield untold(code, document.name)
        else:
            hint = hint() if callable(hint) else hint
            yield document.problem(code, message, path, key=key, hint=hint)


def check(document: Document, schema: Schema) -> Iterator[Finding]:
    """Yield every difference between the document and the schema."""
    return _Checker(document, schema).check(document.data, schema, ())


class _Checker:
    """One method a keyword; each gives how the value breaks it."""

    def __init__(self, document: Document, root: Schema, *, silent: bool = False) -> None:
        self.document, self.root, self.silent = document, root, silent

    def fits(self, value: Value, schema: Schema, path: Steps) -> bool:
        """Return whether there is no difference; nothing is put into words."""
        # One finding settles it: the generator is left there.
        silent = self if self.silent else _Checker(self.document, self.root, silent=True)
        return next(silent.check(value, schema, path), None) is None

    def check(self, value: Value, schema: Schema, path: Steps) -> Iterator[Finding]:
        if isinstance(schema, bool):
            if not schema:
                yield Finding("forbidden-key", f"'{path[-1]}' is not allowed", path, key=True)
            return
        if "$ref" in schema:
            schema = resolve(self.root, schema)
        for keyword, argument in schema.items():
            if method := KEYWORDS.get(keyword):
                yield from method(self, value, argument, schema, path)

    # No generator, as nearly all that a document says fits.
    def type(self, value: Value, types: Any, schema: Schema, path: Steps) -> Iterable[Finding]:
        types = (types,) if isinstance(types, str) else types
        for name in types:
            if _TYPES[name](value):
                return ()
        source = self.document.source(path)
        # Brackets around it help only where it could be the one item.
        item = "array" in types and self.fits([value], schema, path)
        message, hint = schema_messages.wrong_type(path, types, value, source, item=item)
        return (Finding("wrong-type", message, path, hint),)

    def properties(self, value: Value, known: Schema, _: Schema, path: Steps) -> Iterator[Finding]:
        for name in value if isinstance(value, dict) else ():
            if name in known:
                yield from self.check(value[name], known[name], (*path, name))

    def additional(
        self, value: Value, additional: Schema, schema: Schema, path: Steps
    ) -> Iterator[Finding]:
        known = schema.get("properties", {})
        for name in value if isinstance(value, dict) else ():
            if name in known:
                continue
            if additional is False:
                hint = partial(_unknown_key, name, tuple(known))
                yield Finding(
                    "unknown-key",
                    f"unknown key '{schema_messages.cut(name)}'",
                    (*path, name),
                    hint,
                    True,
                )
            else:
                yield from self.check(value[name], additional, (*path, name))

    def required(self, value: Value, names: Any, _: Schema, path: Steps) -> Iterator[Finding]:
        for name in names if isinstance(value, dict) else ():
            if name not in value:
                message = f"'{name}' is missing" + (
                    f" in {schema_messages.dotted(path)}" if path else ""
                )
                hint = partial(_example, path, name)
                yield Finding("missing-key", message, path, hint, True)

    def items(self, value: Value, items: Schema, _: Schema, path: Steps) -> Iterator[Finding]:
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from self.check(item, items, (*path, index))

    def unique(self, value: Value, _: bool, __: Schema, path: Steps) -> Iterator[Finding]:
        seen: set[tuple[bool, Value]] = set()
        for index, item in enumerate(value if isinstance(value, list) else ()):
            before = len(seen)
            seen.add(_identity(item))
            if len(seen) == before:
                message = f"duplicate item {format_value(item)}"
                yield Finding("duplicate-item", message, (*path, index))

    def enum(self, value: Value, allowed: Any, _: Schema, path: Steps) -> Iterable[Finding]:
        for one in allowed:
            if _same(value, one):
                return ()
        if self.silent:
            return (Finding("not-allowed", "", path),)
        message, hint = schema_messages.not_allowed(path, value, allowed)
        return (Finding("not-allowed", message, path, hint),)

    def const(self, value: Value, wanted: Any, schema: Schema, path: Steps) -> Iterable[Finding]:
        return self.enum(value, [wanted], schema, path)

    def negated(self, value: Value, schema: Schema, _: Schema, path: Steps) -> Iterator[Finding]:
        if self.fits(value, schema, path):
            message = f"{schema_messages.dotted(path)} can't be {format_value(value)}"
            yield Finding("not-allowed", message, path)

    def pattern(self, value: Value, pattern: str, schema: Schema, path: Steps) -> Iterable[Finding]:
        if not isinstance(value, str) or _fits(pattern, value):
            return ()
        message = f"{schema_messages.dotted(path)} can't be {format_value(value)}"
        return (Finding("bad-value", message, path, schema.get("patternErrorMessage")),)

    def all_of(self, value: Value, schemas: Any, _: Schema, path: Steps) -> Iterator[Finding]:
        for schema in schemas:
            yield from self.check(value, schema, path)

    def condition(
        self, value: Value, test: Schema, schema: Schema, path: Steps
    ) -> Iterator[Finding]:
        holds = self.fits(value, test, path)
        branch = schema.get("then" if holds else "else", True)
        for finding in self.check(value, branch, path):
            because = schema_messages.because(value, test) if holds and not self.silent else ""
            yield finding._replace(message=finding.message + because)


def _limit(
    keyword: str, applies: Callable[[Value], bool], holds: Callable[[Value, Any], bool]
) -> Callable[[_Checker, Value, Any, Schema, Steps], Iterable[Finding]]:
    def method(
        _checker: _Checker, value: Value, limit: Any, schema: Schema, path: Steps
    ) -> Iterable[Finding]:
        if not applies(value) or holds(value, limit):
            return ()
        message = schema_messages.out_of_range(path, keyword, value, limit)
        # Which of several items is one too many only their meaning tells.
        is_list = isinstance(value, list) and path and isinstance(path[-1], str)
        examples = schema.get("examples", ()) if is_list else ()
        hint = schema_messages.example(str(path[-1]), examples) if examples else None
        return (Finding("out-of-range", message, path, hint),)

    return method


def _is_text(value: Value) -> bool:
    return isinstance(value, str)


def _is_list(value: Value) -> bool:
    return isinstance(value, list)


def _is_number(value: Value) -> bool:
    if isinstance(value, bool):
        return False
    # YAML has infinities and NaN, JSON numbers do not.
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def _is_integer(value: Value) -> bool:
    return _is_number(value) and value == math.floor(value)


_TYPES: Mapping[str, Callable[[Value], bool]] = {
    "string": _is_text,
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "number": _is_number,
    "array": _is_list,
    "object": lambda value: isinstance(value, dict),
}

KEYWORDS: Mapping[str, Callable[[_Checker, Value, Any, Schema, Steps], Iterable[Finding]]] = {
    "type": _Checker.type,
    "properties": _Checker.properties,
    "additionalProperties": _Checker.additional,
    "required": _Checker.required,
    "items": _Checker.items,
    "uniqueItems": _Checker.unique,
    "enum": _Checker.enum,
    "const": _Checker.const,
    "not": _Checker.negated,
    "pattern": _Checker.pattern,
    "allOf": _Checker.all_of,
    "if": _Checker.condition,
    "minimum": _limit("minimum", _is_number, lambda value, limit: value >= limit),
    "maximum": _limit("maximum", _is_number, lambda value, limit: value <= limit),
    "minLength": _limit("minLength", _is_text, lambda value, limit: len(value) >= limit),
    "minItems": _limit("minItems", _is_list, lambda value, limit: len(value) >= limit),
    "maxItems": _limit("maxItems", _is_list, lambda value, limit: len(value) <= limit),
}


def _fits(pattern: str, text: str) -> bool:
    """Return whether text has a form; a long one never has one that its end belongs to.

    Names, digests and addresses are short; to try them on a megabyte may take its square.
    """
    if len(text) > _LONGEST and pattern.endswith("$"):
        return False
    return compiled(pattern).search(text[:_LONGEST]) is not None


def _unknown_key(name: str, known: tuple[str, ...]) -> str:
    return schema_messages.unknown_key(name, known, homes(name))


def _example(path: Steps, name: str) -> str | None:
    return schema_messages.example(name, examples(path, name))


def _identity(value: Value) -> tuple[bool, Value]:
    """Return what two values share that are the same in JSON: 1 is 1.0, but true is not 1."""
    if isinstance(value, (dict, list)):
        return False, json.dumps(value, sort_keys=True)
    return isinstance(value, bool), value


def _same(one: Value, other: Value) -> bool:
    """Compare as JSON does: 1 is 1.0, but true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
