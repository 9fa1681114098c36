"""YAML text as plain values that remember where they stood.

Scalars follow the YAML 1.2 core schema, so `no` is a string and `0123` is 123. The parser's events
are read one by one instead of composed nodes: depth and aliases stay bounded whatever comes in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml
import yaml.parser
import yaml.reader
import yaml.scanner

from clarifai_build.problem import ManifestError, Problem, Severity
from clarifai_build.tokens import masked

Value = Any  # None | bool | int | float | str | list[Value] | dict[str, Value]
Steps = tuple["str | int", ...]

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_ALIASED = 10_000
MAX_DIGITS = 300

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NULL = re.compile(r"(?:|~|null|Null|NULL)\Z")
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?[0-9]+\Z")
_BASED = re.compile(r"0(?:o[0-7]+|x[0-9a-fA-F]+)\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_SPECIAL = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
_STR_TAGS = (None, "!", "tag:yaml.org,2002:str")


class PureParser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """PyYAML's parser in Python: the same events, eight times slower."""

    def __init__(self, text: str) -> None:
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)


def _fastest_parser() -> Callable[[str], Any]:
    try:
        from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs hide it
    except ImportError:  # PyYAML was built without libyaml
        return PureParser
    fastest: Callable[[str], Any] = CParser
    return fastest


class Place(NamedTuple):
    """Where something stands: line and column from 1, and its length on that line."""

    line: int
    column: int
    length: int = 1


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document. `keys` and `values` map a path like `("triton", "ragged")` to its place.

    `problems` are the findings that still leave something to work with, such as duplicate keys.
    """

    name: str
    lines: tuple[str, ...]
    data: Value
    keys: Mapping[Steps, Place] = field(default_factory=dict)
    values: Mapping[Steps, Place] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def get(self, *path: str | int) -> Value:
        """Return the value at `path`, or None where the document has another form."""
        value = self.data
        for step in path:
            if isinstance(step, str):
                value = value.get(step) if isinstance(value, dict) else None
            else:
                value = value[step] if isinstance(value, list) and step < len(value) else None
        return value

    def place(self, path: Steps, *, key: bool = False) -> Place:
        """Return where the value (or key) at `path` stands, or its nearest ancestor."""
        for end in range(len(path), -1, -1):
            here = path[:end]
            key_place = self.keys.get(here)
            if key_place and (key or isinstance(self.get(*here), (dict, list))):
                return key_place
            if here in self.values:
                return self.values[here]
        return Place(1, 1)

    def source(self, path: Steps) -> str:
        """Return the text of a scalar as it was written, at most one line of it."""
        place = self.place(path)
        start = place.column - 1
        return self.lines[place.line - 1][start : start + place.length] if self.lines else ""

    def problem(
        self,
        code: str,
        message: str,
        path: Steps,
        *,
        key: bool = False,
        hint: str | None = None,
        severity: Severity = "error",
    ) -> Problem:
        """Make a problem that points at `path`."""
        line, column, length = self.place(path, key=key)
        hint = masked(hint) if hint else None
        return Problem(code, masked(message), self.name, line, column, length, hint, severity)


def read(path: Path, name: str | None = None) -> Document:
    """Read the document in the file at `path`; `name` is how problems call it."""
    name = name or str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ManifestError.of(
            "unreadable-file", f"can't read it: {error.strerror}", file=name
        ) from error
    return parse(raw, name)


def parse(
    raw: bytes | str,
    name: str = "clarifai.yaml",
    parser: Callable[[str], Any] | None = None,
) -> Document:
    """Parse one document; raise ManifestError where there is nothing to work with."""
    text = raw if isinstance(raw, str) else _decode(raw, name)
    text = text.removeprefix("\ufeff")
    lines = tuple(_BREAK.split(text))
    if bad := _UNPRINTABLE.search(text):
        place = _place_of(text, bad.start())
        raise _refused(name, place, "yaml-character", f"character {bad[0]!a} is not allowed")
    reader = _Reader(name, lines)
    try:
        data = reader.document(_events((parser or _fastest_parser())(text)))
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(name, lines, error) from error
    return Document(name, lines, data, reader.keys, reader.values, tuple(reader.problems))


def _decode(raw: bytes, name: str) -> str:
    if len(raw) > MAX_BYTES:
        raise _refused(
            name, Place(1, 1), "manifest-too-big", "a manifest can't be larger than 1 MiB"
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        place = _place_of(raw[: error.start].decode("utf-8"), error.start)
        raise _refused(
            name, place, "not-utf8", f"byte 0x{raw[error.start]:02x} is not UTF-8",
            "save the file as UTF-8",
        ) from error  # fmt: skip


def _place_of(text: str, offset: int) -> Place:
    lines = _BREAK.split(text[:offset])
    return Place(len(lines), len(lines[-1]) + 1)


def _refused(
    name: str, place: Place, code: str, message: str, hint: str | None = None
) -> ManifestError:
    return ManifestError(Problem(code, message, name, place.line, place.column, place.length, hint))


def _events(parser: Any) -> Iterator[yaml.Event]:
    while (event := parser.get_event()) is not None:
        yield event


def _syntax_error(name: str, lines: tuple[str, ...], error: yaml.MarkedYAMLError) -> ManifestError:
    mark = error.problem_mark or error.context_mark
    if mark and error.context_mark and not "".join(lines[mark.line :]).strip():
        mark = error.context_mark  # the end of the file says nothing; where it began does
    line = min(mark.line, len(lines) - 1) if mark else 0
    column = min(mark.column, len(lines[line])) if mark else 0
    place = Place(line + 1, column + 1)
    if lines[line][column : column + 1] == "\t":
        return _refused(name, place, "yaml-tab", "a tab can't indent YAML", "indent with spaces")
    message = ", ".join(filter(None, (error.context, error.problem)))
    return _refused(name, place, "yaml-syntax", message or "not YAML")


class _Reader:
    """Turns parser events into values, and notes their places."""

    def __init__(self, name: str, lines: tuple[str, ...]) -> None:
        self.name, self.lines = name, lines
        self.keys: dict[Steps, Place] = {}
        self.values: dict[Steps, Place] = {}
        self.problems: list[Problem] = []
        self._anchors: dict[str, tuple[Value, int]] = {}
        self._open: set[str] = set()
        self._aliased = 0
        self._count = 0

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

    def _place(self, event: yaml.Event) -> Place:
        start, end = event.start_mark, event.end_mark
        if start is None or end is None:
            return Place(1, 1)
        line = min(start.line, len(self.lines) - 1)
        stop = end.column if end.line == start.line else len(self.lines[line])
        return Place(line + 1, start.column + 1, max(1, stop - start.column))

    def _problem(self, event: yaml.Event, code: str, message: str, hint: str | None = None) -> None:
        place = self._place(event)
        message = masked(message)
        self.problems.append(
            Problem(code, message, self.name, place.line, place.column, place.length, hint)
        )

    def _fatal(self, event: yaml.Event, code: str, message: str) -> ManifestError:
        return _refused(self.name, self._place(event), code, message)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], path: Steps) -> Value:
        if len(path) > MAX_DEPTH:
            raise self._fatal(event, "yaml-depth", f"nested deeper than {MAX_DEPTH} levels")
        self.values[path] = self._place(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before, anchor = self._count, getattr(event, "anchor", None)
        self._count += 1
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

    def _alias(self, event: yaml.AliasEvent) -> Value:
        if event.anchor in self._open or event.anchor not in self._anchors:
            why = "contains itself" if event.anchor in self._open else "is not defined above"
            raise self._fatal(event, "yaml-alias", f"anchor '{event.anchor}' {why}")
        value, size = self._anchors[event.anchor]
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
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth == 0:
                return

    def _scalar(self, event: yaml.ScalarEvent) -> Value:
        text: str = event.value
        if not event.implicit[0]:
            if event.tag not in _STR_TAGS:
                self._problem(event, "yaml-tag", f"tag '{event.tag}' is not supported")
            return text
        if len(text) > MAX_DIGITS and _FLOAT.match(text):
            raise self._fatal(event, "yaml-number", f"a number of {len(text)} digits is too long")
        return core_scalar(text)


def core_scalar(text: str) -> Value:
    """Resolve plain text by the YAML 1.2 core schema."""
    if _NULL.match(text):
        return None
    if _BOOL.match(text):
        return text[0] in "tT"
    if _INT.match(text):
        return int(text)
    if _BASED.match(text):
        return int(text, 0)
    if _FLOAT.match(text) or _SPECIAL.match(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text
