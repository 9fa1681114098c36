"""Which processes are kept, and when one that ended may start again."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from clarifai_grpc.grpc.api import service_pb2

from clarifai_build.errors import SandboxError
from clarifai_build.sandbox.api.errors import ApiError, Code, status
from clarifai_build.sandbox.api.runners import serving
from clarifai_build.sandbox.api.runners.items import UNARY, Desk, Item
from clarifai_build.sandbox.api.runners.process import RunnerProcess
from clarifai_build.sandbox.api.runners.serving import Runners

Started = list[RunnerProcess]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    """Programs that only wait, in place of the official process, as they are started."""
    made: Started = []

    def start(*_arguments: Any) -> RunnerProcess:
        made.append(RunnerProcess(subprocess.Popen(["sleep", "600"]), Desk(), lambda: None))
        return made[-1]

    monkeypatch.setattr(serving.process, "start", start)
    monkeypatch.setattr(serving.runner_folder, "read", lambda _path: None)
    monkeypatch.setattr(Runners, "prepare", lambda *_arguments: Path("python"))
    yield made
    for each in made:
        each.stop()


@pytest.fixture
def runners(tmp_path: Path) -> Runners:
    gate: Any = None
    return Runners(tmp_path, Path("python"), gate)


def ended(process: RunnerProcess) -> bool:
    return not process.is_alive


def test_a_process_serves_until_it_ends(runners: Runners, started: Started) -> None:
    assert runners.start("a") is runners.start("a")
    assert runners.is_running("a")
    started[0].stop()
    assert not runners.is_running("a")
    assert runners.start("a") is started[1]


def test_those_used_longest_ago_end(
    runners: Runners, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MOST_RUNNING", 2)
    for version in ("a", "b", "a", "c"):
        runners.start(version)
    assert [ended(process) for process in started] == [False, True, False]


def test_one_that_is_asked_is_kept(
    runners: Runners, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MOST_RUNNING", 1)
    runners.start("a").desk.put(Item(service_pb2.PostModelOutputsRequest(), UNARY))
    runners.start("b")
    assert [ended(process) for process in started] == [False, False]


def test_after_three_ends_in_a_row_a_start_has_to_wait(runners: Runners, started: Started) -> None:
    for _ in range(3):
        runners.start("a").stop()
    with pytest.raises(SandboxError, match="ended 3 times in a row"):
        runners.start("a")
    assert len(started) == 3
    with pytest.raises(ApiError, match="ended 3 times in a row"):
        next(runners.ask("a", service_pb2.PostModelOutputsRequest(), UNARY))
    runners.start("b")


def test_what_no_process_has_taken_is_asked_of_the_next(
    runners: Runners, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That one has ended shows a moment late: what was put there meanwhile comes back."""
    put = Desk.put

    def put_too_late(desk: Desk, item: Item) -> None:
        put(desk, item)
        if desk is started[0].desk:
            started[0].stop()
        else:
            answer = service_pb2.PostRunnerItemOutputsRequest(status=status(Code.SUCCESS))
            answer.runner_item_outputs.add().multi_output_response.outputs.add(id="1")
            list(desk.serve(iter([answer]), lambda: True))

    monkeypatch.setattr(Desk, "put", put_too_late)
    (found,) = runners.ask("a", service_pb2.PostModelOutputsRequest(), UNARY)
    assert found.outputs[0].id == "1"
    assert len(started) == 2


def test_a_discarded_version_ends_and_leaves_nothing(runners: Runners, started: Started) -> None:
    runners.start("a")
    runners.builder_log("a").begin()
    runners.discard("a")
    assert ended(started[0])
    assert not list(runners.root.iterdir())


def test_a_log_has_whole_lines(runners: Runners) -> None:
    log = runners.builder_log("a")
    assert log.lines() == []
    add: Callable[[str], None] = log.begin()
    add("one\ntwo")
    with (runners.root / "a" / "builder.log").open("a") as file:
        file.write("half")
    assert log.lines() == ["one two"]
