"""The runtime's portable suite, on every Python that is here, with numpy 1 and numpy 2."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from clarifai_build.sandbox.engines.interpreters import find_python
from runtime.interpreters import Case, cases, environment

TESTS = Path(__file__).resolve().parents[1]
FOUND = {case: python for case in cases() if (python := find_python(case.minor))}


def run_suite(case: Case) -> subprocess.CompletedProcess[str]:
    """Run the portable suite on one Python, in an environment of its own."""
    python = environment(case, FOUND[case])
    suite = TESTS / "runtime" / "portable"
    paths = [str(TESTS.parent / "builder"), str(TESTS)]
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    return subprocess.run(
        [*command, f"--rootdir={suite}", f"--confcutdir={suite}", "--import-mode=importlib", suite],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def running() -> Iterator[Mapping[Case, Future[subprocess.CompletedProcess[str]]]]:
    """The suites of all Pythons, side by side."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {case: pool.submit(run_suite, case) for case in FOUND}


@pytest.mark.parametrize("case", FOUND, ids=str)
def test_the_portable_suite_passes(
    case: Case,
    running: Mapping[Case, Future[subprocess.CompletedProcess[str]]],
    record_property: Callable[[str, object], None],
) -> None:
    """What serves on Clarifai must run on any Python that Triton has a stub for."""
    done = running[case].result()
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.strip().splitlines()[-1]
    record_property("told", f"the runtime's suite on {case}: {last}")


def test_at_least_this_python_was_found(record_property: Callable[[str, object], None]) -> None:
    """A machine always has one; which are missing is said at the end of the run."""
    missing = {case.minor for case in cases()} - {case.minor for case in FOUND}
    if missing:
        record_property("told", f"not on this machine: Python {', '.join(sorted(missing))}")
    assert FOUND
