"""Children get the folder, environment, umask and descriptors that are named for them."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import clarifai_build
from clarifai_build.util.processes import children

PACKAGE = Path(clarifai_build.__file__).parent
STARTS = re.compile(
    r"subprocess\.\w+|(asyncio\.|multiprocessing\.)\w*([Pp]rocess|exec|shell|Pool)|Popen"
    r"|os\.(system|popen|fork\w*|exec\w*|spawn\w*|posix_spawn\w*)|pty\.spawn"
)
TELL = """
import json, os, sys
umask = os.umask(0)
fds = [int(name) for name in os.listdir("/proc/self/fd")]
seen = [os.getcwd(), umask, sys.stdin.read(), {**os.environ}, max(fds)]
print(json.dumps(seen))
"""


@pytest.fixture
def odd_parent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[int]:
    """This process with an odd umask, a file of its own on stdin and a descriptor for children."""
    (tmp_path / "stdin").write_text("meant for the parent")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CANARY", "here")
    old, saved = os.umask(0o777), os.dup(0)
    given = os.open("stdin", os.O_RDONLY)
    os.dup2(given, 0)
    high = os.dup(given)
    os.set_inheritable(high, True)
    yield high
    os.umask(old)
    os.dup2(saved, 0)
    for descriptor in (given, saved, high):
        os.close(descriptor)


def test_a_child_gets_what_is_named_and_nothing_else(odd_parent: int, tmp_path: Path) -> None:
    """Neither the parent's folder, umask, environment and descriptors, nor what it has to read."""
    done = children.run([sys.executable, "-c", TELL], cwd=Path("/"), env={"LC_ALL": "C"})
    folder, umask, read, environ, highest = json.loads(done.stdout)
    assert (folder, umask, read) == ("/", 0o022, "")
    assert "CANARY" not in environ
    assert environ["LC_ALL"] == "C"
    # /proc/self/fd itself is read through one.
    assert highest <= 3 < odd_parent


def test_a_server_keeps_its_files_to_itself(odd_parent: int, tmp_path: Path) -> None:
    """It has a session of its own, too, and writes to its log."""
    command = [sys.executable, "-c", f"{TELL}print(os.getsid(0) == os.getpid())"]
    log = tmp_path / "server.log"
    with children.start_server(command, log, cwd=Path("/"), env={}) as server:
        assert server.wait() == 0
    told, leads = log.read_text().splitlines()
    assert json.loads(told)[:3] == ["/", 0o077, ""]
    assert leads == "True"


def test_pips_lines_come_one_by_one(tmp_path: Path) -> None:
    """What it writes to its errors is among them, and what is no text stands as a mark."""
    code = "import os; os.write(1, b'one\\xff\\n'); os.write(2, b'two\\n')"
    with children.start([sys.executable, "-c", code], cwd=tmp_path, env={}) as child:
        assert list(child.stdout or ()) == ["one\ufffd\n", "two\n"]


def test_a_program_in_sight_does_not_eat_a_list(tmp_path: Path) -> None:
    """`while read model; do clarifai-build test $model; done < list` tests every one."""
    code = (
        "import sys; from pathlib import Path; from clarifai_build.util.processes import children;"
        "command = [sys.executable, '-c', 'import sys; print(sys.stdin.read())'];"
        "code = children.run_in_sight(command, cwd=Path('/'), env={});"
        "print(code, sys.stdin.read())"
    )
    environ = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environ, input="a list", capture_output=True, text=True)
    assert done.stdout.split("\n") == ["", "0 a list", ""], done.stderr


def test_what_is_shown_comes_line_by_line(tmp_path: Path) -> None:
    """A line without end comes in pieces, characters stay whole, and a daemon is not waited for."""
    code = (
        "import os, subprocess; os.write(1, b'one\\n'); os.write(2, b'tw\\xc3');"
        "os.write(2, b'\\xb6\\n' + b'x' * 3_000_000);"
        "subprocess.Popen(['/bin/sleep', '5']); raise SystemExit(3)"
    )
    lines: list[str] = []
    started = time.monotonic()
    command = [sys.executable, "-c", code]
    assert children.run_shown(command, cwd=tmp_path, env={}, show=lines.append) == 3
    assert time.monotonic() - started < 4
    assert lines[:2] == ["one", "tw\xf6"]
    assert "".join(lines[2:]) == "x" * 3_000_000
    assert len(lines) > 3


def program(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho {says}\n")
    (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("path", [".:{good}", ":{good}", "{good}:", "model:{good}"])
def test_a_program_is_not_taken_from_the_childs_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """A PATH with a dot would run a `git` that lies in the repository of a model."""
    good, model = program(tmp_path / "good", "gitt", "good"), program(tmp_path, "gitt", "bad")
    program(tmp_path / "model", "gitt", "bad")
    monkeypatch.chdir(model)
    env = {"PATH": path.format(good=good)}
    assert children.run(["gitt"], cwd=model, env=env).stdout == "good\n"


def test_a_program_that_is_nowhere_is_not_found(tmp_path: Path) -> None:
    """Not in the folder either, where the PATH names nothing else."""
    with pytest.raises(FileNotFoundError, match="gitt"):
        children.run(["gitt"], cwd=program(tmp_path, "gitt", "bad"), env={"PATH": "."})


def test_a_program_named_by_its_place_stays_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the child starts elsewhere."""
    program(tmp_path / "bin", "tool", "mine")
    monkeypatch.chdir(tmp_path)
    assert children.run(["bin/tool"], cwd=Path("/"), env={}).stdout == "mine\n"


def test_a_folder_to_start_in_is_empty_and_private(tmp_path: Path) -> None:
    """What a server left there in an earlier run is gone."""
    (tmp_path / "a" / "1").mkdir(parents=True)
    (tmp_path / "a" / "1" / "model.py").touch()
    folder = children.empty_folder(tmp_path / "a")
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700


def starts_a_process(node: ast.AST) -> bool:
    """Return whether a node is a call that starts a process, or becomes another program."""
    return isinstance(node, ast.Call) and STARTS.fullmatch(ast.unparse(node.func)) is not None


def test_children_are_started_in_one_place() -> None:
    """And a process becomes another program in the tether alone."""
    files = [file for file in PACKAGE.rglob("*.py") if "starters" not in file.parts]
    found = {
        file.relative_to(PACKAGE).as_posix()
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if starts_a_process(node)
    }
    assert found == {"util/processes/children.py", "sandbox/engines/tether.py"}
