"""The sandbox's API without Triton, as a process of its own: building is not measured here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(ROOT / "builder"), str(ROOT / "tests")]

from clarifai_build.sandbox.state import APP_ID, USER_ID  # noqa: E402 - found by the line above
from support.light_platform import TOKEN  # noqa: E402 - found by the line above


@contextmanager
def platform(work: Path) -> Iterator[dict[str, str]]:
    """Run the platform; gives the variables that lead the tool to it."""
    command = [sys.executable, str(ROOT / "tests" / "support" / "light_platform.py"), str(work)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "builder")}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
    ) as process:
        assert process.stdout
        assert process.stdin
        yield {
            "CLARIFAI_API_BASE": process.stdout.readline().strip(),
            "CLARIFAI_USER_ID": USER_ID,
            "CLARIFAI_APP_ID": APP_ID,
            "CLARIFAI_PAT": TOKEN,
            "PYTHONPATH": str(ROOT / "builder"),
        }
        process.stdin.close()
