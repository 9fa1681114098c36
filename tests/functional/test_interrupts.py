"""Ctrl-C, a closed terminal, a stopped job: the program ends at once, with nothing half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.trees import write_files

ENVIRON = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
MANIFEST = b"version: 1\nmodel: {id: m, type: text-to-text}\n"
CODE = b"class InferenceModel:\n    def predict(self): ...\n"


def guarded(body: str) -> list[str]:
    """Return a command that runs `body` as the work of a command."""
    lines = [
        "import os, signal, sys, time",
        "from clarifai_build.cli.main import guarded",
        "def work(console):",
        *(f"    {line}" for line in body.splitlines()),
        "sys.exit(guarded(work))",
    ]
    return [sys.executable, "-c", "\n".join(lines)]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_end_the_program(name: str) -> None:
    """With the code of an interrupt, and what is to be undone undone."""
    body = (
        f"try:\n    os.kill(os.getpid(), signal.{name})\n    time.sleep(9)\n"
        "finally:\n    console.out('undone')"
    )
    done = subprocess.run(guarded(body), env=ENVIRON, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "undone\n", "interrupted\n")


def test_an_interrupt_is_no_bug_of_ours() -> None:
    """Even where a library that is being loaded makes an error of its own of it."""
    body = (
        "try:\n    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(9)\n"
        "except KeyboardInterrupt:\n    raise ImportError('numpy failed to import')"
    )
    done = subprocess.run(guarded(body), env=ENVIRON, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


@pytest.mark.parametrize(("seconds", "loaded"), [(0.2, True), (9, False)])
def test_what_is_being_loaded_is_loaded_to_its_end(
    tmp_path: Path, seconds: float, loaded: bool
) -> None:
    """Unless that takes long: numpy prints a traceback where it is interrupted."""
    code = f"import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep({seconds})\n"
    (tmp_path / "library.py").write_text(code + "print('loaded', flush=True)\n")
    body = f"sys.path.append({str(tmp_path)!r})\nimport library\ntime.sleep(9)"
    done = subprocess.run(guarded(body), env=ENVIRON, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")
    assert done.stdout == ("loaded\n" if loaded else "")


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    """`nohup` has a program live on when its terminal is closed."""
    command = guarded("os.kill(os.getpid(), signal.SIGHUP)\nreturn 0")
    done = subprocess.run(["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command], env=ENVIRON)
    assert done.returncode == 0


def test_a_bug_is_told_where_there_is_no_place_for_a_log(tmp_path: Path) -> None:
    """The traceback goes along with the message then."""
    code = guarded("import tempfile\ntempfile.tempdir = '/nowhere'\nraise ValueError('odd')")
    done = subprocess.run(code, env=ENVIRON, capture_output=True, text=True)
    assert done.returncode == 70
    assert "ValueError: odd" in done.stderr
    assert "please report it, with this" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("size", "writes"), [(100 << 30, False), (4 << 30, True)])
def test_a_build_ends_at_once(tmp_path: Path, size: int, writes: bool, number: int) -> None:
    """While it takes CRC-32s of a large file, or hashes and writes it."""
    model = write_files(tmp_path / "model", {"clarifai.yaml": MANIFEST, "inference.py": CODE})
    with (model / "w.bin").open("wb") as file:
        file.truncate(size)
    command = [sys.executable, "-m", "clarifai_build", "build", "--no-cache", "-o", "../out/a.zip"]
    process = subprocess.Popen(command, cwd=model, env=ENVIRON, stderr=subprocess.PIPE, text=True)
    out = tmp_path / "out"
    time.sleep(0 if writes else 2)
    while writes and not out.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate(timeout=5)
    assert process.returncode == 130, errors
    assert "interrupted" in errors
    assert not out.exists() or list(out.iterdir()) == []
