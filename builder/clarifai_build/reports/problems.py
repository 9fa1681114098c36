"""Problems as text with carets, JSON, GitHub annotations, or SARIF."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from clarifai_build._version import __version__
from clarifai_build.errors import Problem
from clarifai_build.util.redaction import masked
from clarifai_build.util.small_files import MIB, read_small_text
from clarifai_build.util.text import inert, printable, printable_lines, yaml_lines

DOCS = "https://github.com/clarifai-build/clarifai-build/blob/main/docs/reference/problems.md"
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# Of a file whose lines are shown.
_MAX_BYTES = 16 * MIB
# Columns of a source line that are shown: minified JSON may have megabytes on one.
_WIDTH = 160
_TAB = " " * 4
# SGR parameters of ANSI terminals: red, yellow, green, and 1 for bold.
_COLOURS = {"error": "31;1", "warning": "33;1", "place": "1", "caret": "32;1"}


def text(problems: Sequence[Problem], *, colour: bool = False) -> str:
    """Write problems for people: place, code, message, the line with a caret, the way out."""
    sources = _Sources()
    return "\n".join(_paragraph(problem, sources, colour) for problem in problems)


def _paragraph(problem: Problem, sources: _Sources, colour: bool) -> str:
    def painted(style: str, words: str) -> str:
        return f"\x1b[{_COLOURS[style]}m{words}\x1b[0m" if colour and words else words

    place = ":".join(
        printable(str(part))
        for part in (problem.file, problem.line, problem.column)
        if part is not None
    )
    hint, inline = problem.hint, ""
    if hint and hint.startswith("did you mean"):
        hint, inline = None, f"; {hint}"
    kind = painted(problem.severity, f"{problem.severity}[{problem.code}]")
    head = f"{painted('place', place)}: " if place else ""
    first, *rest = _lines(problem.message + inline)
    lines = [f"{head}{kind} {first}", *rest]
    margin = ""
    if (source := sources.line(problem)) is not None:
        margin = " " * max(4, len(str(problem.line)))
        shown, caret = _underlined(source, problem)
        lines += [
            f"{problem.line:>{len(margin)}} | {shown}",
            f"{margin} | {painted('caret', caret)}",
        ]
    if hint:
        first, *rest = _lines(hint)
        lines += [f"{margin or '   '} = {first}", *rest]
    return "\n".join(lines)


def _lines(words: str) -> list[str]:
    """Return what other programs said line by line; no line but the first begins with a word."""
    first, *rest = printable_lines(words).split("\n")
    return [first, *(f"    | {line}" for line in rest)]


class _Sources:
    """The lines that problems point at; each file is read, and each line masked, once."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}
        self._masked: dict[tuple[str, int], str] = {}

    def line(self, problem: Problem) -> str | None:
        if problem.file is None or problem.line is None or problem.column is None:
            return None
        place = problem.file, problem.line
        if place not in self._masked:
            lines = self._of(problem.file)
            # All of it: a token that is cut, or a user without what is before it, looks like none.
            line = lines[problem.line - 1] if problem.line <= len(lines) else ""
            self._masked[place] = masked(line)
        line = self._masked[place]
        return line if line.strip() else None

    def _of(self, file: str) -> list[str]:
        if file not in self._files:
            try:
                content = read_small_text(file, _MAX_BYTES, "utf-8-sig", "replace")
            except OSError:
                content = ""
            self._files[file] = yaml_lines(content)
        return self._files[file]


def _underlined(source: str, problem: Problem) -> tuple[str, str]:
    """Return the line as shown, and carets under what the problem covers."""
    start = min((problem.column or 1) - 1, len(source))
    length = max(1, min(problem.length, len(source) - start))
    cut = max(0, start - _WIDTH // 2) if len(source) > _WIDTH else 0
    shown = [_cell(character) for character in source[cut : cut + _WIDTH]]
    before, covered = shown[: start - cut], shown[start - cut : start - cut + length]
    caret = " " * _width(before) + "^" * max(1, _width(covered))
    return "".join(shown), caret


def _cell(character: str) -> str:
    """Return a character as a terminal may see it."""
    if character == "\t":
        return _TAB
    return character if character.isprintable() else "\ufffd"


def _width(cells: Sequence[str]) -> int:
    """Return how many columns they take in a terminal."""
    return sum(
        0 if unicodedata.combining(character)
        else 2 if unicodedata.east_asian_width(character) in "WF"
        else 1
        for cell in cells
        for character in cell
    )  # fmt: skip


def as_json(problems: Sequence[Problem]) -> dict[str, Any]:
    """Return problems as a JSON object, with the counts that scripts ask for."""
    errors = sum(problem.severity == "error" for problem in problems)
    return {
        "problems": [problem._asdict() for problem in problems],
        "errors": errors,
        "warnings": len(problems) - errors,
    }


def github(problems: Sequence[Problem]) -> str:
    """Write problems as GitHub workflow commands, which become annotations on a pull request."""
    return "\n".join(_annotation(problem) for problem in problems)


def _annotation(problem: Problem) -> str:
    fields: dict[str, Any] = {"title": problem.code}
    if problem.file is not None:
        fields["file"] = problem.file
    if problem.line is not None:
        fields["line"] = problem.line
        if problem.column is not None:
            fields["col"] = problem.column
            fields["endColumn"] = problem.column + problem.length
    properties = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in fields.items())
    return f"::{problem.severity} {properties}::{_escaped(_sentence(problem))}"


def _escaped(words: str, more: str = "") -> str:
    words = inert(printable_lines(words))
    # The percent sign first: the others are replaced by it and two digits.
    for character in "%\r\n" + more:
        words = words.replace(character, f"%{ord(character):02X}")
    return words


def _sentence(problem: Problem) -> str:
    return f"{problem.message}; {problem.hint}" if problem.hint else problem.message


def sarif(problems: Sequence[Problem]) -> str:
    """Write problems as SARIF 2.1.0, which code scanning services read."""
    codes = sorted({problem.code for problem in problems})
    rules = [{"id": code, "helpUri": f"{DOCS}#{code}"} for code in codes]
    driver = {"name": "clarifai-build", "version": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        # Python counts columns in code points, editors often in UTF-16 units.
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, codes.index(problem.code)) for problem in problems],
    }
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2)


def _result(problem: Problem, rule: int) -> Mapping[str, Any]:
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": _sentence(problem)},
    }
    if problem.file is not None:
        path = Path(problem.file)
        # Relative where it can be: code scanning resolves it against the repository.
        uri = path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))
        location: dict[str, Any] = {"artifactLocation": {"uri": uri}}
        if problem.line is not None:
            start = problem.column or 1
            location["region"] = {
                "startLine": problem.line,
                "startColumn": start,
                "endColumn": start + problem.length,
            }
        result["locations"] = [{"physicalLocation": location}]
    return result
