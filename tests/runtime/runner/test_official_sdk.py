"""Runner models under the official SDK, as pinned in requirements/runner.txt."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from support.runner_sdk import run_sdk

SUITE = Path(__file__).with_name("sdk")


def test_the_suite_passes(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Signatures are read as at upload, and all nine types serve both generations of clients."""
    options = [f"--rootdir={SUITE}", f"--confcutdir={SUITE}", "--import-mode=importlib"]
    plain = ["-q", "-p", "no:cacheprovider", "-c", os.devnull]
    done = run_sdk(["-m", "pytest", *plain, *options, str(SUITE)], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.strip().splitlines()[-1]
    record_property("told", f"the runner's suite under the official SDK: {last}")
