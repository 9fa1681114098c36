"""`make demo`'s script, against the tests' own sandbox."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
DEMO = [sys.executable, "scripts/demo.py"]


@pytest.fixture
def demo(tool: Any) -> Any:
    """Run the demo to its end, without a terminal."""

    def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*DEMO, *arguments],
            cwd=ROOT,
            env=tool.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    return demo


def test_the_demo_finds_the_lines_and_then_has_nothing_to_do(demo: Any) -> None:
    """It prints a row a line, draws them, applies again in vain, and says how to go on."""
    pictures = [ROOT / "demo-output" / f"{name}-text.png" for name in ("page", "motorcycle_left")]
    for picture in pictures:
        picture.unlink(missing_ok=True)
    done = demo()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lines of text: 7" in done.stdout
    assert "lines of text: 4" in done.stdout
    after = done.stdout.partition("5/5")[2]
    assert "nothing to do" in after
    assert "clarifai-build sandbox down" in after
    for picture in pictures:
        colors = Image.open(picture).getcolors(maxcolors=1 << 24)
        assert (0, 160, 64) in {color for _, color in colors}


@pytest.mark.parametrize("moment", ["2/5", "3/5"])
def test_the_demo_goes_on_after_it_was_killed(demo: Any, tool: Any, moment: str) -> None:
    """Killed with all that it started, in the middle of a step; the next run ends well."""
    with subprocess.Popen(
        [sys.executable, "-u", *DEMO[1:]],
        cwd=ROOT,
        env=tool.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as killed:
        assert killed.stdout
        assert any(line.startswith(moment) for line in killed.stdout)
        os.killpg(killed.pid, signal.SIGKILL)
    done = demo()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lines of text: 7" in done.stdout


def test_the_demo_takes_a_photo_of_ones_own(demo: Any, tmp_path: Path) -> None:
    """A picture without text is answered, too; what is no picture is refused by name."""
    blank = tmp_path / "blank.jpg"
    Image.new("RGB", (300, 200), "white").save(blank)
    assert "lines of text: 0" in demo(str(blank)).stdout
    (ROOT / "demo-output" / "blank-text.png").unlink()
    text = tmp_path / "notes.txt"
    text.write_text("no picture")
    refused = demo(str(text))
    assert refused.returncode == 1
    assert "notes.txt can't be read as an image" in refused.stderr
