"""Run variants in turn, each as a process of its own; medians, peak memory, ratios and limits."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = str(Path(__file__).parent)


@dataclass(frozen=True)
class Run:
    """What one process took, held at its peak, and printed."""

    seconds: float
    mebibytes: float
    output: str


@dataclass
class Variant:
    """A command, what puts its stage right before each run, and its runs so far."""

    command: Sequence[str]
    prepare: Callable[[], None] = lambda: None
    ends: Sequence[int] = (0,)
    runs: list[Run] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return statistics.median(run.seconds for run in self.runs)

    @property
    def mebibytes(self) -> float:
        return max(run.mebibytes for run in self.runs)


def variant(name: str, *arguments: object, prepare: Callable[[], None] = lambda: None) -> Variant:
    """Return one of variants.py, imported, so that compiling it is not measured along."""
    code = f"import sys; sys.path[:0] = [{FOLDER!r}]; import variants; "
    code += f"variants.{name.replace('-', '_')}(*sys.argv[1:])"
    return Variant([sys.executable, "-c", code, *map(str, arguments)], prepare)


def run(command: Sequence[str], ends: Sequence[int] = (0,)) -> Run:
    """Run a command to its end; an exit code that is not one of `ends` is our failure.

    Python may keep what it compiles, as it does where a package is installed.
    """
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in ends:
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}")
    return Run(seconds, usage.ru_maxrss / 1024, output)


def in_turn(variants: Sequence[Variant], rounds: int) -> None:
    """Run the variants one after the other, as many times as there are rounds."""
    for _ in range(rounds):
        for each in variants:
            each.prepare()
            each.runs.append(run(each.command, each.ends))


def show(
    what: str,
    value: float,
    limit: float,
    stretch: float | None,
    detail: str,
    best: float | None = None,
    *,
    at_least: bool | None = None,
) -> bool:
    """Print a figure beside its limit, and say whether it holds.

    `best` is what the figure would be if all that takes time were to wait for the disk: where that
    misses the limit, too, the disk at hand is too slow to judge by, and the line says so. Unless
    `at_least` says which, a figure that is divided by ours is the better the larger it is.
    """
    larger_is_better = "÷ ours" in what if at_least is None else at_least

    def holds(figure: float) -> bool:
        return figure >= limit if larger_is_better else figure <= limit

    judged = best is None or holds(best)
    mark = "ok " if holds(value) else "NOT" if judged else "dsk"
    if mark == "dsk":
        detail += f" (the disk alone: {best:.2f})"
    goal = f"{'≥' if larger_is_better else '≤'} {limit:g}" + (f" ({stretch:g})" if stretch else "")
    print(f"{mark} {what:<66} {value:>8.2f}  {goal:<14} {detail}", flush=True)
    return mark != "NOT"
