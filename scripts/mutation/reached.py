"""What tests reach, and which of them may notice a mutant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mutation.sites import Mutant


@dataclass(frozen=True)
class Reached:
    """The tests that pass with their seconds, and by module and line those that run it."""

    seconds: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    lines: dict[str, dict[int, set[str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, found: dict[str, Any]) -> Reached:
        """Read what was measured of one test file."""
        names = [test for test, _, _ in found["tests"]]
        passed = {test: seconds for test, seconds, passed in found["tests"] if passed}
        lines = {
            module: {
                int(line): {names[one] for one in tests} & passed.keys()
                for line, tests in of.items()
            }
            for module, of in found["lines"].items()
        }
        return cls(passed, [test for test in names if test not in passed], lines)

    def add(self, other: Reached) -> None:
        """Take in what another file's tests reach."""
        self.seconds.update(other.seconds)
        self.failed.extend(other.failed)
        for module, lines in other.lines.items():
            known = self.lines.setdefault(module, {})
            for line, tests in lines.items():
                known.setdefault(line, set()).update(tests)

    def tests_for(self, mutant: Mutant) -> dict[str, float]:
        """Return who may notice, with their seconds, the fastest first."""
        lines = self.lines.get(mutant.key.module, {})
        first, last = mutant.lines
        wanted: Iterable[int] = lines if mutant.at_import else range(first, last + 1)
        tests = set().union(*(lines.get(line, set()) for line in wanted))
        return {
            one: self.seconds[one] for one in sorted(tests, key=lambda it: (self.seconds[it], it))
        }


def within(tests: dict[str, float], budget: float) -> dict[str, float]:
    """Return the fastest of them that fit into some seconds; always one, if there is one."""
    chosen: dict[str, float] = {}
    spent = 0.0
    for test, seconds in tests.items():
        spent += seconds
        if chosen and spent > budget:
            break
        chosen[test] = seconds
    return chosen
