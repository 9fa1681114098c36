"""How many problems of one file are told: a hundred, and how many there are beyond them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, islice

from clarifai_build.errors import MOST_TOLD, Problem

# Beyond this, a check ends: each problem takes some 20 µs to find.
_MOST_FOUND = 10_000


def found_by(*checks: Iterable[Problem]) -> list[Problem]:
    """Return what these checks find, in order; each ends after its ten thousandth problem."""
    return [problem for check in checks for problem in islice(check, _MOST_FOUND + 1)]


def told(problems: Sequence[Problem]) -> list[Problem]:
    """Return the first problems of each file, and one that says how many more it has.

    `problems` are sorted by file; errors are told before warnings, in the order they come in.
    """
    shown: list[Problem] = []
    for file, group in groupby(problems, lambda problem: problem.file):
        found = list(group)
        shown += found if len(found) <= MOST_TOLD else _first_of(found, file)
    return shown


def _first_of(found: Sequence[Problem], file: str | None) -> list[Problem]:
    told = [problem for problem in found if problem.message]
    # A stable sort: among equals, the order stays.
    by_weight = sorted(range(len(told)), key=lambda at: told[at].severity != "error")
    shown = [told[at] for at in sorted(by_weight[:MOST_TOLD])]
    rest = len(found) - len(shown)
    amount = f"at least {rest:,}" if rest > _MOST_FOUND - MOST_TOLD else f"{rest:,}"
    severe = sum(problem.severity == "error" for problem in found)
    more = Problem(
        "more-problems",
        f"and {amount} more problems here",
        file,
        hint="fix these first",
        severity="error" if severe > sum(one.severity == "error" for one in shown) else "warning",
    )
    return [*shown, more]
