"""The user's ignore rules, compiled; a rule that can't be what was meant is a problem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from clarifai_build.errors import Problem, SourceError, cannot_read
from clarifai_build.source.ignoring.gitignore import Rule, Verdicts, lines_in, read_rule

HINT = "correct it, or remove it"
FEWER = "leave out whole folders, or use wildcards"

# What compiles in half a second. Each rule is tried on each file.
_MOST_RULES = 2_000
_MOST_BYTES = 64 * 1024
_MOST_WILDCARDS = 5_000
TOO_MANY = (
    f"the rules are too many: the limits are {_MOST_RULES:,} rules, {_MOST_BYTES // 1024} KiB and "
    f"{_MOST_WILDCARDS:,} wildcards"
)


def compile_rules(text: bytes, file: Path, exclude: Sequence[str]) -> Verdicts:
    """Compile the rules of a file and those of the manifest, which come after."""
    try:
        lines = lines_in(text)
    except UnicodeDecodeError as exc:
        why = f"it is not UTF-8 at byte {exc.start}"
        raise SourceError(cannot_read(file, why, hint="save it as UTF-8")) from exc
    if too_many([*lines, *exclude]):
        raise SourceError.of("ignore-rule", TOO_MANY, file=str(file), hint=FEWER)
    rules: list[Rule] = []
    problems: list[Problem] = []
    for line, number in _numbered(lines, exclude):
        found = _read(line, file, number)
        if isinstance(found, Problem):
            problems.append(found)
        elif found:
            rules.append(found)
    if problems:
        raise SourceError(*problems)
    return Verdicts.of(rules)


def too_many(rules: Sequence[str]) -> bool:
    """Return whether these are more than anyone writes, and take long to compile."""
    lines = len(rules) + sum(rule.count("\n") for rule in rules)
    wildcards = sum(rule.count(sign) for rule in rules for sign in "*?[")
    return lines > _MOST_RULES or sum(map(len, rules)) > _MOST_BYTES or wildcards > _MOST_WILDCARDS


def reason_against(text: str) -> str | None:
    """Return why rules of the manifest never apply, where that is so."""
    try:
        for line, _ in _numbered((), [text]):
            read_rule(line)
    except ValueError as exc:
        return str(exc)
    return None


def _numbered(lines: Sequence[str], exclude: Iterable[str]) -> Iterator[tuple[str, int | None]]:
    for number, line in enumerate(lines, 1):
        yield line, number
    for rule in exclude:
        for line in lines_in(rule.encode("utf-8", "surrogatepass")):
            yield line, None


def _read(line: str, file: Path, number: int | None) -> Rule | Problem | None:
    try:
        return read_rule(line)
    except ValueError as exc:
        return _problem(line, str(exc), file, number)


def _problem(line: str, reason: str, file: Path, number: int | None) -> Problem:
    pattern = line.encode("latin-1").decode("utf-8", "replace")
    where = "code.exclude" if number is None else str(file)
    return Problem(
        "ignore-rule",
        f"the rule {pattern!r} of {where} never applies: {reason}",
        file=None if number is None else str(file),
        line=number,
        column=None if number is None else 1,
        length=max(len(pattern), 1),
        hint=HINT,
    )
