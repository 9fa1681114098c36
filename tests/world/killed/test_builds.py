"""What a build that was killed left is removed by the next one, of whichever model."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clarifai_build.util.atomic_file import is_unfinished
from support.trees import write_files

MANIFEST = b"model: {id: m, type: text-to-text}\n"
INFERENCE = (
    b"class InferenceModel:\n    def get_predictions(self, input_data):\n        return []\n"
)


def names(folder: Path) -> list[str]:
    """Return the names in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


def tool(*arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
    """Start a command."""
    command = [sys.executable, "-m", "clarifai_build", *map(str, arguments)]
    return subprocess.Popen(
        command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **options
    )


def kill_when(process: subprocess.Popen[bytes], there: Callable[[], bool]) -> None:
    """Kill a process by SIGKILL at once when something is there."""
    deadline = time.monotonic() + 60
    while not there() and time.monotonic() < deadline:
        assert process.poll() is None, "it ended before"
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_a_killed_build_is_cleaned_up_by_the_build_of_another(tmp_path: Path) -> None:
    """Both write to one folder; the partial zip of the first has the size of its weights."""
    write_files(tmp_path / "large", {"clarifai.yaml": MANIFEST, "inference.py": INFERENCE})
    write_files(tmp_path / "small", {"clarifai.yaml": MANIFEST, "inference.py": INFERENCE})
    with (tmp_path / "large" / "weights.bin").open("wb") as weights:
        weights.truncate(512 << 20)
    out = tmp_path / "out"
    out.mkdir()
    # A name that looks alike, of somebody else's.
    (out / ".backup.20240101-deadbeef").touch()
    first = tool("build", tmp_path / "large/clarifai.yaml", "--output", out / "a.zip", "--no-cache")
    kill_when(first, lambda: any(name.startswith(".a.zip") for name in names(out)))
    (left,) = (name for name in names(out) if name.startswith(".a.zip"))
    assert is_unfinished(left)
    second = tool("build", tmp_path / "small/clarifai.yaml", "--output", out / "b.zip")
    assert second.wait() == 0
    assert names(out) == [".backup.20240101-deadbeef", "b.zip", "b.zip.provenance.json"]
