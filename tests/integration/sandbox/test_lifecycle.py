"""Starting, stopping, being killed, and what survives it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.errors import SandboxError
from clarifai_build.sandbox import lifecycle
from clarifai_build.sandbox.endpoints import Endpoints
from support.sandbox_client import Api, s3, text

ATTACHED = """
import sys, time
from pathlib import Path
from clarifai_build.sandbox import lifecycle
from clarifai_build.sandbox.endpoints import Endpoints
lifecycle.up(Path(sys.argv[1]), attached=True)
print("up", flush=True)
time.sleep(600)
"""


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def cli(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "clarifai_build", "sandbox", *arguments]


def answer(state: Path, action: str) -> Any:
    command = cli(action, "--state", str(state), "-o", "json")
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def parent_of(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])


def family(pid: int) -> set[int]:
    """Return a process and all its descendants."""
    everyone = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    found = {pid}
    while more := {each for each in everyone if parent_of(each) in found} - found:
        found |= more
    return found


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def is_alive(pid: int) -> bool:
    return bool(command_line(pid))


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def all_gone(processes: set[int]) -> bool:
    return not any(map(is_alive, processes))


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A folder for a sandbox of the test's own, which is stopped at the end."""
    folder = tmp_path / "my sandbox"
    yield folder
    lifecycle.down(folder)


def test_up_status_down(state: Path) -> None:
    """Two starts at once make one sandbox; down ends every process; data and keys survive."""
    command = cli("up", "--state", str(state), "-o", "json")
    starts = [
        subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE) for _ in range(2)
    ]
    first, second = (json.loads(start.communicate()[0]) for start in starts)
    assert first == second
    status = answer(state, "status")
    assert (status["state"], status["endpoints"]) == ("running", first)
    processes = family(status["pid"])
    assert (state / "state.json").stat().st_mode & 0o777 == 0o600
    s3(lifecycle.ensure(state)).put_object(Bucket="private", Key="kept", Body=b"kept")
    assert answer(state, "down") == {"stopped": True}
    wait_for(lambda: all_gone(processes))
    assert answer(state, "status")["state"] == "stopped"
    assert answer(state, "down") == {"stopped": False}
    assert answer(state, "up") == first
    kept = s3(lifecycle.ensure(state)).get_object(Bucket="private", Key="kept")
    assert kept["Body"].read() == b"kept"


def test_kill_9_of_the_supervisor(state: Path) -> None:
    """Nothing outlives it; the next start serves what was built, at the same addresses."""
    before = lifecycle.up(state)
    model_id, version = Api(before).deploy("text-to-text")
    pid = lifecycle.status(state).pid
    assert pid
    processes = family(pid)
    assert any("python_backend_stub" in command_line(each) for each in processes)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: all_gone(processes - {pid}))
    assert lifecycle.status(state).state == "crashed"
    assert lifecycle.down(state) is False
    assert lifecycle.up(state) == before
    predicted = Api(before).predict(model_id, text("abc"), version_id=version.id)
    assert predicted.outputs[0].data.text.raw == "cba"


def test_kill_9_of_each_child(state: Path) -> None:
    """S3, Triton and the API come back by themselves."""
    endpoints = lifecycle.up(state)
    model_id, _ = Api(endpoints).deploy("text-to-text")
    pid = lifecycle.status(state).pid
    assert pid
    for name in ("tritonserver", "clarifai_build.sandbox.api", "weed server"):
        (child,) = (
            each for each in family(pid) if parent_of(each) == pid and name in command_line(each)
        )
        os.kill(child, signal.SIGKILL)
        wait_for(lambda: lifecycle.status(state).state == "running" and works(endpoints, model_id))


def works(endpoints: Endpoints, model_id: str) -> bool:
    import botocore.exceptions
    import grpc

    try:
        s3(endpoints).list_buckets()
        predicted = Api(endpoints).predict(model_id, text("abc"))
    except (grpc.RpcError, botocore.exceptions.BotoCoreError):
        return False
    return bool(predicted.status.code == 10000)


def test_an_unfinished_version_goes_on(state: Path) -> None:
    """A version that was being fetched when everything was killed gets ready after a start."""
    endpoints = lifecycle.up(state)
    api = Api(endpoints)
    model_id = api.new_model("text-to-text")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/never.zip"
        version_id = api.post_version(model_id, url).model.model_version.id
        assert api.predict(model_id, text("x")).status.code == 21351
        pid = lifecycle.status(state).pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not is_alive(pid))
        assert lifecycle.up(state) == endpoints
        assert api.version(model_id, version_id).status.code == 21104
    assert api.settled(model_id, version_id).status.code == 21105


def test_a_port_that_was_taken_meanwhile(state: Path) -> None:
    """Another port is used, the others stay."""
    before = lifecycle.up(state)
    lifecycle.down(state)
    port = int(before.api_base.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        after = lifecycle.up(state)
    assert after.api_base != before.api_base
    assert (after.s3_endpoint, after.pat) == (before.s3_endpoint, before.pat)
    assert Api(after).call("GetUser").user.id == after.user_id


def test_an_attached_one_dies_with_its_parent(state: Path) -> None:
    """What a killed program had started for itself does not stay behind."""
    with subprocess.Popen(
        [sys.executable, "-c", ATTACHED, str(state)],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout
        assert program.stdout.readline() == "up\n"
        processes = family(program.pid)
        assert len(processes) >= 5
        program.kill()
    wait_for(lambda: all_gone(processes))


def test_in_the_foreground(state: Path) -> None:
    """Its stdout is lines for a shell; Ctrl-C ends it with everything it started."""
    with subprocess.Popen(
        cli("up", "--foreground", "--state", str(state)),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stderr
        said = [program.stderr.readline()]
        while "Ctrl-C" not in said[-1]:
            assert said[-1], said
            said.append(program.stderr.readline())
        processes = family(program.pid)
        program.send_signal(signal.SIGINT)
        exports, _ = program.communicate(timeout=60)
    assert program.returncode == 0
    wait_for(lambda: all_gone(processes))
    script = f"{exports}\nenv"
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert "CLARIFAI_API_BASE=http://127.0.0.1:" in shown
    assert "AWS_SECRET_ACCESS_KEY=" in shown


def test_a_broken_state_file(state: Path) -> None:
    """It is named, with what to do, before anything is started."""
    state.mkdir()
    (state / "state.json").write_text("{", encoding="utf-8")
    with pytest.raises(SandboxError, match=r"state\.json can't be read") as caught:
        lifecycle.up(state)
    assert str(state) in str(caught.value.problems[0].hint)
