"""Tries mutants: in a child each, the changed module is imported instead of the one on disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from mutation import forks, session
from mutation.hook import sitecustomize
from mutation.reached import Reached, within
from mutation.sites import Mutant

_HOOK = Path(sitecustomize.__file__).parent
_START = 30.0
"""Seconds for the imports and the collection."""

_UNNOTICED = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
"""Tests that are collected no more, since the mutant is a parameter of theirs, notice nothing."""

_HANG = "Timeout ("
"""What faulthandler writes."""

KILLED, SURVIVED, NOT_COVERED, JUDGED = "killed", "survived", "not covered", "judged"


class Outcome(NamedTuple):
    """What became of a mutant, after how many of the tests that could notice."""

    mutant: Mutant
    fate: str
    seconds: float = 0.0
    ran: int = 0
    could: int = 0
    hung: bool = False


def outcomes(
    mutants: Sequence[Mutant], reached: Reached, budget: float, at_once: int
) -> Iterator[Outcome]:
    """Yield what becomes of each, as they end."""
    could = {mutant: reached.tests_for(mutant) for mutant in mutants}
    yield from (Outcome(mutant, NOT_COVERED) for mutant in mutants if not could[mutant])
    chosen = {mutant: within(tests, budget) for mutant, tests in could.items() if tests}
    jobs = (_job(mutant, tests) for mutant, tests in chosen.items())
    for mutant, status, output, seconds in forks.run(jobs, at_once):
        fate = fate_of(status, output)
        hung = status == forks.TIMED_OUT or _HANG in output
        yield Outcome(mutant, fate, seconds, len(chosen[mutant]), len(could[mutant]), hung)


def fate_of(status: int, output: str) -> str:
    """Read a child's exit status: a signal, a hang or an import that fails is noticed, too.

    Raises RuntimeError when the child itself is at fault.
    """
    if status == forks.BROKEN:
        raise RuntimeError(f"the tests did not run:\n{output}")
    return SURVIVED if status in _UNNOTICED else KILLED


def _job(mutant: Mutant, tests: dict[str, float]) -> forks.Job[Mutant]:
    limit = session.patience(_START) + session.patience(sum(tests.values()))
    return forks.Job(mutant, lambda folder: _try(mutant, tests, folder), limit)


def _try(mutant: Mutant, tests: dict[str, float], folder: Path) -> int:
    source, path = folder / "mutant.py", session.ROOT / mutant.key.module
    source.write_bytes(mutant.source)
    inherited = os.environ.get("PYTHONPATH")
    paths = [str(_HOOK), *([inherited] if inherited else [])]
    os.environ |= {sitecustomize.MODULE: str(path), sitecustomize.SOURCE: str(source)}
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    # Some tests hand their own path on as PYTHONPATH.
    sys.path.insert(1, str(_HOOK))
    sitecustomize.substitute(str(path), mutant.source)
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    return session.run(["-x", *files], folder, session.Chosen(tests))
