"""What tests of several folders share: one sandbox for the whole run, and the tool as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from clarifai_build.sandbox.endpoints import Endpoints
from clarifai_build.sandbox.lifecycle import STATE_VARIABLE, down, up

# A shell starts jobs in the background with Ctrl-C ignored, which children would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no failure.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A running sandbox of its own: real S3, real Triton, Clarifai API. It dies with the tests."""
    state = tmp_path_factory.mktemp("sandbox")
    yield up(state, attached=True)
    down(state)


class Tool:
    """`clarifai-build` as a process, in the sandbox's environment, without a terminal."""

    def __init__(self, sandbox: Endpoints) -> None:
        self.environ = {
            **os.environ,
            **sandbox.environ(),
            STATE_VARIABLE: str(sandbox.state_dir),
        }

    def __call__(
        self, *arguments: str | Path, cwd: Path | None = None, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command; further environment variables are keywords."""
        return subprocess.run(
            [sys.executable, "-m", "clarifai_build", *map(str, arguments)],
            cwd=cwd,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )


@pytest.fixture
def tool(sandbox: Endpoints) -> Tool:
    """Run the tool's commands against the sandbox."""
    return Tool(sandbox)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Write what tests told by `record_property("told", …)`, wherever they ran."""
    reports = [each for found in terminalreporter.stats.values() for each in found]
    for report in reports:
        for name, value in getattr(report, "user_properties", ()):
            if name == "told" and report.when == "call":
                terminalreporter.write_line(value)
