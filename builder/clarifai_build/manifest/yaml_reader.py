"""YAML's parser events as plain values with their places.

Scalars follow the YAML 1.2 core schema, so `no` is a string and `0123` is 123. Events are read one
by one instead of composed nodes: depth and aliases stay bounded whatever comes in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from clarifai_build.errors import MOST_TOLD, ManifestError, Problem, untold
from clarifai_build.util.redaction import message_of

Value = Any  # None | bool | int | float | str | list[Value] | dict[str, Value]
Steps = tuple["str | int", ...]

# The reader recurses, twice a level: far from Python's limit of 1,000; the schema needs 4.
MAX_DEPTH = 32
# Nested aliases ('billion laughs') take little memory, but each check would walk all nodes.
MAX_ALIASED = 10_000
# Checks take some 10 µs and 400 bytes a value. The longest list of labels known has 22,000.
MAX_VALUES = 50_000
# Characters of a text that count like a value more, where an alias repeats it.
_TEXT_UNIT = 64
_LISTS = "put long lists of labels into a file of their own, and name it in model.labels"
# A double overflows at 309 digits, and int() refuses text of more than 4,300.
MAX_DIGITS = 300

_NULL = re.compile(r"(?:|~|null|Null|NULL)\Z")
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?[0-9]+\Z")
_BASED = re.compile(r"0(?:o[0-7]+|x[0-9a-fA-F]+)\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_SPECIAL = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
# How the above begin, or the end of an empty text: most texts are words.
_MAY_BE_MORE = frozenset(("", *"~nNtTfF+-.0123456789"))
_STR_TAGS = (None, "!", "tag:yaml.org,2002:str")


class SourceLocation(NamedTuple):
    """Where something stands: line and column from 1, and its length on that line."""

    line: int
    column: int
    length: int = 1


def core_scalar(text: str) -> Value:
    """Resolve plain text by the YAML 1.2 core schema."""
    if text[:1] not in _MAY_BE_MORE:
        return text
    if _NULL.match(text):
        return None
    if _BOOL.match(text):
        return text[0] in "tT"
    if len(text) > MAX_DIGITS:
        return text
    if _INT.match(text):
        return int(text)
    if _BASED.match(text):
        return int(text, 0)
    if _FLOAT.match(text) or _SPECIAL.match(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def refused(
    name: str, place: SourceLocation, code: str, message: str, hint: str | None = None
) -> ManifestError:
    """Make the error of a document that can't be read any further."""
    return ManifestError(Problem(code, message, name, place.line, place.column, place.length, hint))


class Reader:
    """Turns parser events into values, and notes their places."""

    def __init__(self, name: str, lines: tuple[str, ...]) -> None:
        self.name, self.lines = name, lines
        self.keys: dict[Steps, SourceLocation] = {}
        self.values: dict[Steps, SourceLocation] = {}
        self.problems: list[Problem] = []
        self._anchors: dict[str, tuple[Value, int]] = {}
        self._open: set[str] = set()
        self._aliased = 0
        self._count = 0
        self._seen = 0

    def document(self, events: Iterator[yaml.Event]) -> Value:
        data: Value = None
        seen = False
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if seen:
                    raise self._fatal(event, "yaml-documents", "a manifest is one document")
                seen = True
                data = self._node(next(events), events, ())
        return data

    def _place(self, event: yaml.Event) -> SourceLocation:
        start, end = event.start_mark, event.end_mark
        if start is None or end is None:
            return SourceLocation(1, 1)
        line, column = start.line, start.column
        if line >= len(self.lines):
            line = len(self.lines) - 1
        length = (end.column if end.line == start.line else len(self.lines[line])) - column
        return SourceLocation(line + 1, column + 1, length if length > 0 else 1)

    def _problem(self, event: yaml.Event, code: str, message: str, hint: str | None = None) -> None:
        if len(self.problems) >= MOST_TOLD:
            self.problems.append(untold(code, self.name))
            return
        place = self._place(event)
        message = message_of(message)
        self.problems.append(
            Problem(code, message, self.name, place.line, place.column, place.length, hint)
        )

    def _fatal(
        self, event: yaml.Event, code: str, message: str, hint: str | None = None
    ) -> ManifestError:
        return refused(self.name, self._place(event), code, message_of(message), hint)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], path: Steps) -> Value:
        if len(path) > MAX_DEPTH:
            raise self._fatal(event, "yaml-depth", f"nested deeper than {MAX_DEPTH} levels")
        self.values[path] = self._place(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before, anchor = self._count, getattr(event, "anchor", None)
        self._count += 1
        self._one_more(event)
        if anchor:
            self._open.add(anchor)
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(events, path)
        else:
            value = self._mapping(events, path)
        if anchor:
            self._open.discard(anchor)
            self._anchors[anchor] = value, self._count - before
        return value

    def _one_more(self, event: yaml.Event) -> None:
        self._seen += 1
        if self._seen > MAX_VALUES:
            message = f"a manifest can't have more than {MAX_VALUES:,} values"
            raise self._fatal(event, "yaml-values", message, _LISTS)

    def _alias(self, event: yaml.AliasEvent) -> Value:
        if event.anchor in self._open or event.anchor not in self._anchors:
            why = "contains itself" if event.anchor in self._open else "is not defined above"
            raise self._fatal(event, "yaml-alias", f"anchor '{event.anchor}' {why}")
        value, size = self._anchors[event.anchor]
        # Counted again, so that an alias of an alias multiplies.
        self._count += size
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            raise self._fatal(event, "yaml-alias", "aliases expand to too much")
        return value

    def _sequence(self, events: Iterator[yaml.Event], path: Steps) -> list[Value]:
        items: list[Value] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, events, (*path, len(items))))
        return items

    def _mapping(self, events: Iterator[yaml.Event], path: Steps) -> dict[str, Value]:
        mapping: dict[str, Value] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event)
            here = (*path, key)
            if key in mapping:
                message = f"'{key}' is already set on line {self.keys[here].line}"
                self._problem(event, "duplicate-key", message, "keep one of them")
                self._skip(events)
                continue
            self.keys[here] = self._place(event)
            mapping[key] = self._node(next(events), events, here)
        return mapping

    def _key(self, event: yaml.Event) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._fatal(event, "yaml-key", "a key has to be plain text")
        return str(event.value)

    def _skip(self, events: Iterator[yaml.Event]) -> None:
        depth = 0
        for event in events:
            self._one_more(event)
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth == 0:
                return

    def _scalar(self, event: yaml.ScalarEvent) -> Value:
        text: str = event.value
        self._count += len(text) // _TEXT_UNIT
        if not event.implicit[0]:
            if event.tag not in _STR_TAGS:
                self._problem(event, "yaml-tag", f"tag '{event.tag}' is not supported")
            return text
        if len(text) > MAX_DIGITS and (_FLOAT.match(text) or _BASED.match(text)):
            raise self._fatal(event, "yaml-number", f"a number of {len(text)} digits is too long")
        return core_scalar(text)
