"""Many models at once: one that fails, is interrupted or is stuck."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.cancellation import CancelToken
from clarifai_build.deploy import fleet
from clarifai_build.deploy.planning import Plan
from clarifai_build.errors import (
    RegistryError,
    StorageError,
    UsageError,
)
from clarifai_build.pipeline import plan
from clarifai_build.registry import NewVersion
from clarifai_build.registry.version_metadata import NO_METADATA
from support.fakes import (
    BUILT,
    MemoryRegistry,
    MemoryStore,
    artifact_of,
    manifest_of,
)

ARTIFACT = artifact_of(BUILT)
FOREIGN = NewVersion("http://theirs", {}, {}, (), "", "private", NO_METADATA)


def test_one_failure_stops_nobody() -> None:
    """Results come in order, an error among them; work runs at the same time."""
    together = threading.Barrier(2, timeout=10)

    def work(item: int) -> int:
        if item < 2:
            together.wait()
        if item == 2:
            raise StorageError.of("store-failed", "no")
        return item * 10

    outcomes = fleet.each([0, 1, 2, 3], work, jobs=2, cancel=CancelToken())
    assert [outcome.value for outcome in outcomes] == [0, 10, None, 30]
    assert outcomes[2].error is not None


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_bug_that_one_meets_stops_nobody(jobs: int) -> None:
    """It is a problem of that item alone; the traceback is kept in a file."""
    outcomes = fleet.each([0, 1, 2], lambda item: 10 // (1 - item), jobs, CancelToken())
    assert [outcome.value for outcome in outcomes] == [10, None, -10]
    error = fleet.failure(lambda item: 1 // item, 0)
    for bug in (outcomes[1].error, error):
        assert bug is not None
        assert (bug.problems[0].code, bug.exit_code) == ("internal-error", 70)
        log = Path(str(bug.problems[0].hint).split()[4].rstrip(";"))
        assert "ZeroDivisionError" in log.read_text(encoding="utf-8")
        log.unlink()


def test_exit_code_of_many() -> None:
    """The common one, or 1 where they differ."""
    storage, registry = StorageError.of("a", ""), RegistryError.of("b", "")
    usage = UsageError.of("c", "")
    assert fleet.exit_code([]) == 0
    assert fleet.exit_code([storage, registry]) == 5
    assert fleet.exit_code([storage, usage]) == 1


def test_interrupt_reaches_the_others() -> None:
    """When one is interrupted, the others end where they next look at the token."""
    cancel = CancelToken()
    ended = threading.Event()
    together = threading.Barrier(2, timeout=10)

    def work(item: int) -> None:
        together.wait()
        if item == 0:
            raise KeyboardInterrupt
        try:
            cancel.sleep(30)
        except KeyboardInterrupt:
            ended.set()
            raise

    with pytest.raises(KeyboardInterrupt):
        fleet.each([0, 1], work, jobs=2, cancel=cancel)
    assert ended.wait(10)


def test_one_that_is_stuck_keeps_nobody_waiting() -> None:
    """After an interrupt, one that does not look at the token is left to end with the process."""
    go_on, ended = threading.Event(), threading.Event()
    together = threading.Barrier(2, timeout=10)

    def work(item: int) -> None:
        together.wait()
        if item == 0:
            raise KeyboardInterrupt
        go_on.wait(30)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        fleet.each([0, 1], work, jobs=2, cancel=CancelToken())
    assert not ended.is_set()
    go_on.set()


def plan_of(registry: MemoryRegistry, store: MemoryStore, **model: Any) -> Plan:
    """Plan the one model."""
    return plan(manifest_of(**model), ARTIFACT, store, registry)
