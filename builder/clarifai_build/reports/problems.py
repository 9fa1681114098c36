"""Problems as text with carets, JSON, GitHub annotations, or SARIF."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from clarifai_build._version import __version__
from clarifai_build.errors import Problem
from clarifai_build.util.redaction import masked
from clarifai_build.util.small_files import MIB, read_small_text
from clarifai_build.util.text import yaml_lines

DOCS = "https://github.com/clarifai-build/clarifai-build/blob/main/docs/reference/problems.md"
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# Of a file whose lines are shown.
_MAX_BYTES = 16 * MIB
# Columns of a source line that are shown: minified JSON may have megabytes on one.
_WIDTH = 160
# SGR parameters of ANSI terminals: red, yellow, green, and 1 for bold.
_COLOURS = {"error": "31;1", "warning": "33;1", "place": "1", "caret": "32;1"}


def text(problems: Sequence[Problem], *, colour: bool = False) -> str:
    """Write problems for people: place, code, message, the line with a caret, the way out."""
    sources: dict[str, list[str]] = {}
    return "\n".join(_paragraph(problem, sources, colour) for problem in problems)


def _paragraph(problem: Problem, sources: dict[str, list[str]], colour: bool) -> str:
    def painted(style: str, words: str) -> str:
        return f"\x1b[{_COLOURS[style]}m{words}\x1b[0m" if colour and words else words

    place = ":".join(
        str(part) for part in (problem.file, problem.line, problem.column) if part is not None
    )
    hint, inline = problem.hint, ""
    if hint and hint.startswith("did you mean"):
        hint, inline = None, f"; {hint}"
    kind = painted(problem.severity, f"{problem.severity}[{problem.code}]")
    head = f"{painted('place', place)}: " if place else ""
    lines = [f"{head}{kind} {problem.message}{inline}"]
    margin = ""
    if (source := _source_line(problem, sources)) is not None:
        margin = " " * max(4, len(str(problem.line)))
        shown, caret = _underlined(source, problem)
        lines += [
            f"{problem.line:>{len(margin)}} | {shown}",
            f"{margin} | {painted('caret', caret)}",
        ]
    if hint:
        lines.append(f"{margin or '   '} = {hint}")
    return "\n".join(lines)


def _source_line(problem: Problem, sources: dict[str, list[str]]) -> str | None:
    if problem.file is None or problem.line is None or problem.column is None:
        return None
    if problem.file not in sources:
        try:
            content = read_small_text(problem.file, _MAX_BYTES, "utf-8-sig", "replace")
        except OSError:
            content = ""
        sources[problem.file] = yaml_lines(content)
    lines = sources[problem.file]
    line = lines[problem.line - 1] if problem.line <= len(lines) else ""
    return masked(line) if line.strip() else None


def _underlined(source: str, problem: Problem) -> tuple[str, str]:
    """Return the line as shown, and carets under what the problem covers."""
    start = min((problem.column or 1) - 1, len(source))
    length = max(1, min(problem.length, len(source) - start))
    cut = max(0, start - _WIDTH // 2) if len(source) > _WIDTH else 0
    shown = _printable(source[cut : cut + _WIDTH])
    length = min(length, max(1, len(shown) - (start - cut)))
    pad = "".join(_blank(character) for character in shown[: start - cut])
    covered = shown[start - cut : start - cut + length]
    return shown, pad + "^" * max(1, sum(len(_blank(character)) for character in covered))


def _printable(line: str) -> str:
    return "".join(c if c == "\t" or c.isprintable() else "\ufffd" for c in line)


def _blank(character: str) -> str:
    """Return white space as wide as the character is in a terminal."""
    if character == "\t":
        return "\t"
    if unicodedata.combining(character):
        return ""
    return "  " if unicodedata.east_asian_width(character) in "WF" else " "


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
        uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
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
