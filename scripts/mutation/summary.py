"""What became of the mutants, in words and numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from mutation.judged import block
from mutation.trial import JUDGED, KILLED, NOT_COVERED, SURVIVED, Outcome

_COLUMNS = (KILLED, SURVIVED, NOT_COVERED, JUDGED)


def percent(outcomes: Sequence[Outcome]) -> float:
    """Return how many of a hundred were killed; those judged don't count. Of none, all are."""
    counted = [one for one in outcomes if one.fate != JUDGED]
    killed = sum(one.fate == KILLED for one in counted)
    return 100 * killed / len(counted) if counted else 100.0


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield a line for each module, and one for all."""
    modules = sorted({one.mutant.key.module for one in outcomes})
    width = max(map(len, [*modules, "total"]))
    yield " ".join(["module".ljust(width), *(f"{name:>11}" for name in _COLUMNS), "      %"])
    for module in modules:
        yield _row(module.ljust(width), [it for it in outcomes if it.mutant.key.module == module])
    yield _row("total".ljust(width), outcomes)


def _row(name: str, outcomes: Sequence[Outcome]) -> str:
    fates = Counter(one.fate for one in outcomes)
    counts = " ".join(f"{fates[column]:11}" for column in _COLUMNS)
    return f"{name} {counts} {percent(outcomes):6.1f}"


def unnoticed(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield each mutant that no test noticed: its place, then how it would be judged."""
    for one in sorted(outcomes, key=lambda it: (it.mutant.key.module, it.mutant.line)):
        if one.fate in (SURVIVED, NOT_COVERED):
            mutant = one.mutant
            yield f"# {mutant.key.module}:{mutant.line} {mutant.operator}, {_tests(one)}"
            yield block(mutant.key) + "\n"


def _tests(one: Outcome) -> str:
    if one.fate == NOT_COVERED:
        return "run by no test"
    some = "" if one.ran == one.could else f" (the fastest of {one.could})"
    return f"not noticed by {one.ran} test{'s' * (one.ran != 1)}{some}"
