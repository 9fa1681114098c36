"""Work on threads that no exit waits for."""

from __future__ import annotations

import subprocess
import sys
import threading
from functools import partial

import pytest

from clarifai_build.util import threads
from clarifai_build.util.threads import cancel_all, run_interruptibly, wait_all


def nothing() -> None:
    """Beat."""


def test_some_at_a_time_and_in_order() -> None:
    """As many calls as were asked for run at once, and no more; each has its own result."""
    inside, most = 0, 0
    lock, together = threading.Lock(), threading.Barrier(3, timeout=10)

    def work(number: int) -> int:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        together.wait()
        with lock:
            inside -= 1
        together.wait()
        return number * 10

    futures = threads.start([partial(work, number) for number in range(9)], 3)
    wait_all(futures, nothing)
    assert [future.result() for future in futures] == list(range(0, 90, 10))
    assert most == 3


def test_a_failure_is_not_kept_waiting() -> None:
    """What a late call raises is raised while an early one still runs, an interrupt too."""
    go_on = threading.Event()

    def fail() -> bool:
        raise KeyboardInterrupt

    futures = threads.start([lambda: go_on.wait(30), fail], 2)
    with pytest.raises(KeyboardInterrupt):
        wait_all(futures, nothing)
    go_on.set()


def test_a_listener_ends_a_wait() -> None:
    """A call that takes long is not waited for once `on_tick` raises."""
    go_on = threading.Event()
    beats = 0

    def on_tick() -> None:
        nonlocal beats
        beats += 1
        if beats == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_interruptibly(lambda: go_on.wait(), on_tick)
    assert beats == 3
    go_on.set()
    assert run_interruptibly(lambda: 7, nothing) == 7


def test_what_has_not_begun_never_begins() -> None:
    """Once abandoned; what has begun is given a moment."""
    go_on, begun = threading.Event(), threading.Event()
    started: list[int] = []

    def work(number: int) -> None:
        started.append(number)
        begun.set()
        go_on.wait(30)

    futures = threads.start([partial(work, 0), partial(work, 1)], 1)
    assert begun.wait(10)
    cancel_all(futures, 0.1)
    assert not threads.ended(futures[:1], 0.1)
    go_on.set()
    assert threads.ended(futures, 10)
    assert started == [0]


def test_the_process_ends_without_them() -> None:
    """Nobody joins them at exit."""
    code = (
        "import threading\nfrom clarifai_build.util import threads\n"
        "threads.start([threading.Event().wait], 1)\nraise SystemExit(130)"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=20, capture_output=True)
    assert (done.returncode, done.stderr) == (130, b"")
