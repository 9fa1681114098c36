"""Trying mutants: with which tests, in which process, and what is told of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mutation import forks
from mutation.hook import sitecustomize
from mutation.reached import Reached, within
from mutation.sites import Mutant, mutants_of
from mutation.summary import percent, table, unnoticed
from mutation.trial import JUDGED, KILLED, NOT_COVERED, SURVIVED, Outcome, fate_of


def mutants(source: str) -> list[Mutant]:
    """Return those of a module that are valid."""
    return [one for one in mutants_of("m.py", source.encode()) if one.is_valid()]


REACHED = {
    "tests": [["slow", 2.0, True], ["quick", 0.5, True], ["broken", 0.1, False]],
    "lines": {"m.py": {"1": [0], "2": [1, 2], "3": [0, 1]}},
}


@pytest.mark.parametrize(
    ("source", "tests"),
    [
        ("def f():\n    x = 1\n", ["quick"]),
        ("def f():\n\n    x = 1\n", ["quick", "slow"]),
        ("def f():\n\n\n    x = 1\n", []),
        ("x = 1\n", ["quick", "slow"]),
    ],
)
def test_a_mutant_is_tried_with_the_tests_that_run_its_line(source: str, tests: list[str]) -> None:
    """The fastest first, none that fails by itself; at import every test of the module counts."""
    reached = Reached()
    reached.add(Reached.of(REACHED))
    assert list(reached.tests_for(mutants(source)[0])) == tests
    assert reached.failed == ["broken"]


def test_a_budget_takes_the_fastest_and_at_least_one() -> None:
    """However slow that is."""
    assert within({"a": 1.0, "b": 2.0, "c": 3.0}, 3.5) == {"a": 1.0, "b": 2.0}
    assert within({"a": 9.0, "b": 9.0}, 1.0) == {"a": 9.0}
    assert within({}, 1.0) == {}


@pytest.mark.parametrize(
    ("status", "fate"),
    [(0, SURVIVED), (5, SURVIVED), (1, KILLED), (2, KILLED), (4, KILLED), (-9, KILLED)],
)
def test_all_but_success_notices(status: int, fate: str) -> None:
    """A failure, an import that fails, a crash or a hang."""
    assert fate_of(status, "") == fate


def test_a_broken_child_is_no_verdict() -> None:
    """Its output is shown."""
    with pytest.raises(RuntimeError, match="the reason"):
        fate_of(99, "the reason")


def test_percentages_leave_out_the_judged_only() -> None:
    """A mutant that no test runs counts as one that survived."""
    one, *_ = mutants("x = a < b\n")
    fates = [KILLED, KILLED, KILLED, SURVIVED, NOT_COVERED, NOT_COVERED, JUDGED]
    outcomes = [Outcome(one, fate, ran=3, could=5) for fate in fates]
    assert percent(outcomes) == 50
    assert percent([]) == percent(outcomes[-1:]) == 100
    assert [line.split() for line in table(outcomes)][1:] == [
        [name, "3", "1", "2", "1", "50.0"] for name in ("m.py", "total")
    ]
    first = next(unnoticed(outcomes))
    assert first == "# m.py:1 comparison, not noticed by 3 tests (the fastest of 5)"
    assert len(list(unnoticed(outcomes))) == 6


def sleep(folder: Path) -> int:
    """Hang, as a mutant may."""
    time.sleep(600)
    return 0


def crash(folder: Path) -> int:
    """End by a signal."""
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def speak(folder: Path) -> int:
    """Leave some output."""
    os.write(1, f"heard {folder.is_dir()}".encode())
    return 3


def fail(folder: Path) -> int:
    """Raise what nobody expects."""
    raise OSError("no disk")


def test_children_end_in_any_way() -> None:
    """Each status comes back with its output; what hangs is ended."""
    jobs = [
        forks.Job("hangs", sleep, 0.2),
        forks.Job("crashes", crash, 60),
        forks.Job("speaks", speak, 60),
        forks.Job("fails", fail, 60),
    ]
    ended = {name: (status, output) for name, status, output, _ in forks.run(jobs, 2)}
    assert ended["hangs"] == (forks.TIMED_OUT, "")
    assert ended["crashes"][0] == -signal.SIGKILL
    assert ended["speaks"] == (3, "heard True")
    assert ended["fails"][0] == forks.BROKEN
    assert "no disk" in ended["fails"][1]


def test_processes_that_tests_start_see_the_mutant(tmp_path: Path) -> None:
    """The file on disk stays as it was."""
    (tmp_path / "module.py").write_text("print('before')")
    (tmp_path / "mutant.py").write_text("print('after')")
    environ = os.environ | {
        "PYTHONPATH": f"{Path(sitecustomize.__file__).parent}{os.pathsep}{tmp_path}",
        sitecustomize.MODULE: str(tmp_path / "module.py"),
        sitecustomize.SOURCE: str(tmp_path / "mutant.py"),
    }
    command = [sys.executable, "-c", "import module"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "after\n"
    assert (tmp_path / "module.py").read_text() == "print('before')"
