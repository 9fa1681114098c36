"""Environments are whole or not there, whatever happens while they are made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clarifai_build.errors import SandboxError
from clarifai_build.progress import Event, no_progress
from clarifai_build.sandbox.engines import install
from clarifai_build.sandbox.engines.venvs import Recipe, is_complete, provision

PROVISION = """
import sys
from pathlib import Path
from clarifai_build.progress import no_progress
from clarifai_build.sandbox.engines import install
from clarifai_build.sandbox.engines.venvs import Recipe, provision
known = install.install()
python = known.interpreter.executable
recipe = Recipe("test", python, ("six==1.16.0",), "", known.python)
provision(Path(sys.argv[1]), recipe, no_progress)
"""


def recipe(*packages: str) -> Recipe:
    known = install.install()
    return Recipe("test", known.interpreter.executable, packages, "the hint", known.python)


def start(target: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen([sys.executable, "-c", PROVISION, str(target)], env=environment)


def has_six(target: Path) -> bool:
    command = [str(target / "bin" / "python"), "-c", "import six"]
    return subprocess.run(command, check=False).returncode == 0


def test_two_at_once(tmp_path: Path) -> None:
    """One makes it and the other waits; both find it whole."""
    target = tmp_path / "environment"
    makers = [start(target), start(target)]
    assert [maker.wait() for maker in makers] == [0, 0]
    assert has_six(target)


def test_kill_9_on_the_way(tmp_path: Path) -> None:
    """What was half made is made anew."""
    target = tmp_path / "environment"
    maker = start(target)
    while not (target / "bin" / "python").exists():
        time.sleep(0.01)
    maker.send_signal(signal.SIGKILL)
    maker.wait()
    assert not is_complete(target)
    assert provision(target, recipe("six==1.16.0"), no_progress) == target
    assert has_six(target)


def test_what_pip_refuses(tmp_path: Path) -> None:
    """pip's reason, the hint and the log are in the error, and nothing counts as made."""
    target = tmp_path / "environment"
    with pytest.raises(SandboxError, match="No matching distribution") as caught:
        provision(target, recipe("six==0.0.0.dev999"), no_progress)
    (problem,) = caught.value.problems
    assert "the hint" in str(problem.hint)
    assert str(tmp_path / "environment.log") in str(problem.hint)
    assert not is_complete(target)


def test_engines_that_are_there() -> None:
    """Engines that are there already are found without a word."""
    install.install()
    events: list[Event] = []
    installed = install.install(events.append)
    assert [event.message for event in events if event.message] == []
    assert installed.weed.exists()
    assert (installed.triton / "bin" / "tritonserver").exists()
