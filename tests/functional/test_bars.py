"""A terminal after a bar: the cursor is there, and what follows has a line of its own."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = """
import sys, threading, time
from clarifai_build.cli.main import guarded
from clarifai_build.errors import BuilderError
from clarifai_build.progress import Event

def run(console):
    progress = console.progress()
    def bar(done):
        progress(Event("upload", "running", done=done << 20, total=9 << 20))
    bar(1)
    progress(Event("weights", "done", "2 files [all]"))
    ways[sys.argv[1]](console, bar)
    return 0

def interrupted(console, bar):
    print("ready", flush=True)
    time.sleep(60)

def failed(console, bar):
    raise BuilderError.of("output", "it failed")

def broken(console, bar):
    raise ValueError("it broke")

def told(console, bar):
    console.err("it goes on")
    bar(2)
    time.sleep(0.2)

def late(console, bar):
    # A thread that is not waited for tells something after the command's end.
    threading.Thread(target=lambda: (time.sleep(0.5), bar(3))).start()

ways = {"interrupted": interrupted, "failed": failed, "broken": broken, "told": told, "late": late}
sys.exit(guarded(run))
"""
CONTROL = re.compile(r"\x1b\[\??([0-9;]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+")


def on_a_terminal(way: str, folder: Path) -> tuple[int, str]:
    """Run the command on a terminal of its own, and return its exit code and all it wrote."""
    terminal, end = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "TMPDIR": str(folder), "COLUMNS": "120"}
    environ.pop("NO_COLOR", None)
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, way], env=environ, stderr=end, stdout=subprocess.PIPE
    ) as process:
        os.close(end)
        if way == "interrupted" and process.stdout:
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
        said = b""
        with contextlib.suppress(OSError):  # how a terminal says that nobody is left
            while chunk := os.read(terminal, 4096):
                said += chunk
    os.close(terminal)
    return process.returncode, said.decode()


def screen(said: str) -> list[str]:
    """Return the lines that are left on the screen."""
    lines, row = [""], 0
    for found in CONTROL.finditer(said):
        if found[2] == "K":
            lines[row] = ""
        elif found[2] == "A":
            row -= int(found[1] or 1)
        elif found[0] == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif not found[2] and found[0] != "\r":
            lines[row] += found[0]
    return [line for line in lines if line.strip()]


@pytest.mark.parametrize(
    ("way", "code", "left"),
    [
        ("interrupted", 130, ["interrupted"]),
        ("failed", 1, ["error[output] it failed"]),
        ("broken", 70, ["error[internal-error] a bug in", "    = the traceback is in"]),
        ("told", 0, ["it goes on"]),
        ("late", 0, []),
    ],
)
def test_the_terminal_is_as_it_was(way: str, code: int, left: list[str], tmp_path: Path) -> None:
    """However a command ends, or speaks, while a bar is up."""
    ended, said = on_a_terminal(way, tmp_path)
    assert ended == code
    assert said.count("\x1b[?25l") == said.count("\x1b[?25h") >= 1
    first, *others = screen(said)
    assert first == "✓ weights: 2 files [all]"
    assert len(others) == len(left)
    assert all(line.startswith(start) for line, start in zip(others, left, strict=True))
