"""YAML text as a document: plain values that remember where they stood."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
import yaml.parser
import yaml.reader
import yaml.scanner

from clarifai_build.errors import ManifestError, Problem, Severity
from clarifai_build.manifest.types import FILE_NAME
from clarifai_build.manifest.yaml_reader import Reader, SourceLocation, Steps, Value, refused
from clarifai_build.util.redaction import message_of
from clarifai_build.util.small_files import NotRegularError, TooLargeError, read_small
from clarifai_build.util.text import yaml_lines

# A manifest has a few kB. This bounds time and memory for a file that is something else.
MAX_BYTES = 1024 * 1024

# libyaml compares each %TAG with all before it.
_MOST_DIRECTIVES = 100

# What PyYAML refuses, by a ReaderError that has no line and column.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document. `keys` and `values` map a path like `("triton", "ragged")` to its place.

    `problems` are the findings that still leave something to work with, such as duplicate keys.
    """

    name: str
    lines: tuple[str, ...]
    data: Value
    keys: Mapping[Steps, SourceLocation] = field(default_factory=dict)
    values: Mapping[Steps, SourceLocation] = field(default_factory=dict)
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

    def place(self, path: Steps, *, key: bool = False) -> SourceLocation:
        """Return where the value (or key) at `path` stands, or its nearest ancestor."""
        for end in range(len(path), -1, -1):
            here = path[:end]
            key_place = self.keys.get(here)
            # A block mapping begins at its first key: blame the key that holds it, not that one.
            if key_place and (key or isinstance(self.get(*here), (dict, list))):
                return key_place
            if here in self.values:
                return self.values[here]
        return SourceLocation(1, 1)

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
        hint = message_of(hint) if hint else None
        message = message_of(message)
        return Problem(code, message, self.name, line, column, length, hint, severity)


def read(path: Path, name: str | None = None) -> Document:
    """Read the document in the file at `path`; `name` is how problems call it."""
    name = name or str(path)
    try:
        raw = read_small(path, MAX_BYTES)
    except TooLargeError as error:
        raise _too_large(name) from error
    except OSError as error:
        raise ManifestError.of(
            "unreadable-file",
            f"can't read it: {error.strerror}",
            file=name,
            hint=_way_out(path, error),
        ) from error
    return parse(raw, name)


def _way_out(path: Path, error: OSError) -> str | None:
    if isinstance(error, FileNotFoundError):
        return _instead_of(path)
    if isinstance(error, NotRegularError):
        return "save it as a file in the model's folder, where the paths in it begin"
    return None


def _too_large(name: str) -> ManifestError:
    message = "a manifest can't be larger than 1 MiB"
    return refused(name, SourceLocation(1, 1), "manifest-too-big", message)


def _instead_of(path: Path) -> str:
    """Return what to do where there is no manifest: name one just below, or start one."""
    below = sorted(path.parent.glob(f"*/{FILE_NAME}"))[:3]
    if below:
        return f"did you mean {' or '.join(repr(str(file)) for file in below)}?"
    return "`clarifai-build init` writes one"


def parse(
    raw: bytes | str,
    name: str = FILE_NAME,
    parser: Callable[[str], Any] | None = None,
) -> Document:
    """Parse one document; raise ManifestError where there is nothing to work with."""
    text = raw if isinstance(raw, str) else _decode(raw, name)
    text = text.removeprefix("\ufeff")
    lines = tuple(yaml_lines(text))
    if bad := _UNPRINTABLE.search(text):
        place = _place_of(text, bad.start())
        raise refused(name, place, "yaml-character", f"character {bad[0]!a} is not allowed")
    if text.partition("\n---")[0].count("\n%") > _MOST_DIRECTIVES:
        raise refused(name, SourceLocation(1, 1), "yaml-syntax", "it begins with many directives")
    reader = Reader(name, lines)
    try:
        data = reader.document(iter((parser or _fastest_parser())(text).get_event, None))
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(name, lines, error) from error
    return Document(name, lines, data, reader.keys, reader.values, tuple(reader.problems))


def _decode(raw: bytes, name: str) -> str:
    if len(raw) > MAX_BYTES:
        raise _too_large(name)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        place = _place_of(raw[: error.start].decode("utf-8"), error.start)
        raise refused(
            name, place, "not-utf8", f"byte 0x{raw[error.start]:02x} is not UTF-8",
            "save the file as UTF-8",
        ) from error  # fmt: skip


def _place_of(text: str, offset: int) -> SourceLocation:
    lines = yaml_lines(text[:offset])
    return SourceLocation(len(lines), len(lines[-1]) + 1)


def _syntax_error(name: str, lines: tuple[str, ...], error: yaml.MarkedYAMLError) -> ManifestError:
    mark = error.problem_mark or error.context_mark
    if mark and error.context_mark and not "".join(lines[mark.line :]).strip():
        mark = error.context_mark  # the end of the file says nothing; where it began does
    line = min(mark.line, len(lines) - 1) if mark else 0
    column = min(mark.column, len(lines[line])) if mark else 0
    place = SourceLocation(line + 1, column + 1)
    if lines[line][column : column + 1] == "\t":
        return refused(name, place, "yaml-tab", "a tab can't indent YAML", "indent with spaces")
    message = ", ".join(filter(None, (error.context, error.problem)))
    return refused(name, place, "yaml-syntax", message or "not YAML")
