"""Which test runs which line: each test file once under coverage, until it or the code changes."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import coverage
import pytest
from coverage.exceptions import CoverageException

from mutation import forks, session
from mutation.reached import Reached

CACHE = session.ROOT / ".mutants"
_FORMAT = b"1"
"""To be counted up when tests are measured otherwise."""

_LIMIT = 1800.0
"""Seconds for a test file."""

_COUNTS = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}
_SERVERS = {"sandbox", "tool"}
"""The fixtures that start engines."""

_RC = """[run]
source = {source}
data_file = ${{MUTATION_DATA}}
parallel = true
context = ${{MUTATION_TEST}}
"""
"""For processes that tests start: coverage's own .pth file looks for it."""


def measured(files: Sequence[Path], at_once: int) -> Iterator[tuple[Path, Reached]]:
    """Yield what each file's tests reach, measuring the files that have to be."""
    common = _digest_of_code()
    stored = {file: CACHE / f"{_digest(common, file.read_bytes())}.json" for file in files}
    jobs = (
        forks.Job(file, lambda folder, it=file: _measure(it, folder, stored[it]), _LIMIT)
        for file in files
        if not stored[file].exists()
    )
    CACHE.mkdir(exist_ok=True)
    for file, status, output, seconds in forks.run(jobs, at_once):
        if not stored[file].exists():
            raise RuntimeError(f"{file.relative_to(session.ROOT)} ended with {status}:\n{output}")
        print(f"measured {file.relative_to(session.ROOT)} in {seconds:.0f} s", flush=True)
    for file in files:
        yield file, Reached.of(json.loads(stored[file].read_text()))


def _digest_of_code() -> bytes:
    """Return a digest of all that test files have in common."""
    root = session.ROOT
    helpers = [path for path in root.glob("tests/**/*.py") if not path.name.startswith("test_")]
    code = [path for path in root.glob("builder/**/*") if path.is_file() and path.suffix != ".pyc"]
    paths = sorted([*helpers, *code, *root.glob("schema/*")])
    named = ((str(path.relative_to(root)).encode(), path.read_bytes()) for path in paths)
    return _FORMAT + b"".join(_digest(*each).encode() for each in named)


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]


def _measure(file: Path, folder: Path, stored: Path) -> int:
    """Run one test file in this child, and store what its tests reached."""
    source = session.ROOT / "builder"
    (folder / "rc").write_text(_RC.format(source=source))
    os.environ |= {"COVERAGE_PROCESS_START": str(folder / "rc"), "MUTATION_TEST": ""}
    os.environ["MUTATION_DATA"] = str(folder / "data")
    measure = coverage.Coverage(str(folder / "main"), source=[str(source)], config_file=False)
    watch = _Watch(measure)
    measure.start()
    status = session.run([str(file)], folder, watch)
    if status not in _COUNTS:
        return status
    measure.stop()
    measure.save()
    data = sorted([folder / "main", *folder.glob("data.*")])
    found = {"tests": watch.results(), "lines": _lines(data)}
    temporary = stored.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(found))
    temporary.replace(stored)
    return status


def _lines(files: Sequence[Path]) -> dict[str, dict[int, list[int]]]:
    """Return by module and line the numbers of the tests."""
    lines: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for file in files:
        data = coverage.CoverageData(str(file))
        try:
            data.read()
        except CoverageException:
            continue  # Its process was killed while it wrote.
        for path in data.measured_files():
            module = lines[str(Path(path).relative_to(session.ROOT))]
            for line, tests in data.contexts_by_lineno(path).items():
                module[line] |= {int(test) for test in tests if test}
    return {
        module: {line: sorted(tests) for line, tests in of.items() if tests}
        for module, of in lines.items()
    }


class _Watch:
    """Tells coverage which test runs, and notes how each ended and how long it took."""

    def __init__(self, measure: coverage.Coverage) -> None:
        self._measure = measure
        self._numbers: dict[str, int] = {}
        self._seconds: dict[str, float] = {}
        self._failed: set[str] = set()

    @staticmethod
    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
        """Leave out what starts engines."""
        items[:] = [it for it in items if not _SERVERS & set(getattr(it, "fixturenames", ()))]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Count for this test what happens until the next one."""
        number = str(self._numbers.setdefault(item.nodeid, len(self._numbers)))
        self._measure.switch_context(number)
        os.environ["MUTATION_TEST"] = number
        begin = time.monotonic()
        result = yield
        self._seconds[item.nodeid] = time.monotonic() - begin
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure: such a test tells nothing of mutants."""
        if not report.passed:
            self._failed.add(report.nodeid)

    def results(self) -> list[tuple[str, float, bool]]:
        """Return tests by number: name, seconds, whether it passed."""
        return [(test, self._seconds[test], test not in self._failed) for test in self._numbers]
