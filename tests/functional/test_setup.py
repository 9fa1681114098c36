"""scripts/setup names what only root can install before it makes or downloads anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("cat", "cut", "dirname", "env", "grep", "rm", "sed", "sha256sum")
LIBRARY = r"sandbox\tlibpython3.11\tthe sandbox\n"
VENV = r"all\tpython3.11-venv\tmaking .venv\n"
PYTHON = """\
case "$1" in
  scripts/system_packages.py) printf '{lacks}' ;;
  --version) echo Python 3.11.2 ;;
  -m) echo "making $4"; exit 9 ;;
esac
"""
PROBED = """\
import runpy, sys
sys.executable = sys.argv[1]
runpy.run_path("scripts/system_packages.py", run_name="__main__")
"""


class Machine:
    """A checkout on a machine of which every program is known, with a user of a number."""

    def __init__(self, folder: Path, user: int, lacks: str) -> None:
        self.checkout = folder / "checkout"
        self.programs = folder / "bin"
        self.programs.mkdir()
        for name in TOOLS:
            (self.programs / name).symlink_to(shutil.which(name) or name)
        for name in ("scripts/setup", "requirements/dev.txt", "pyproject.toml"):
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.checkout / name)
        self.log = folder / "apt-get.log"
        self.add("id", f"echo {user}")
        self.add("apt-get", f'echo "$@" >> {self.log}')
        self.add("python3", PYTHON.format(lacks=lacks))

    def add(self, name: str, script: str) -> None:
        """Put a program on the machine."""
        write_program(self.programs / name, script)

    def setup(self, *wanted: str) -> subprocess.CompletedProcess[str]:
        """Run the script with nothing else on PATH."""
        return subprocess.run(
            [shutil.which("bash") or "bash", self.checkout / "scripts" / "setup", *wanted],
            env={"PATH": str(self.programs)},
            capture_output=True,
            text=True,
        )

    def installed(self) -> list[str]:
        """Return what apt-get was asked for."""
        return self.log.read_text().splitlines() if self.log.exists() else []


def write_program(path: Path, script: str) -> Path:
    """Write a shell script that can be run."""
    path.write_text(f"#!{shutil.which('sh')}\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("has_sudo", [False, True])
@pytest.mark.parametrize("lacks", [LIBRARY, VENV, VENV + LIBRARY])
def test_what_needs_root_is_one_line_and_the_end(
    lacks: str, has_sudo: bool, tmp_path: Path
) -> None:
    """Without root, one line installs all that is missing; nothing was made, nothing was tried."""
    machine = Machine(tmp_path, 1000, lacks)
    if has_sudo:
        machine.add("sudo", "exit 1")
    packages = " ".join(line.split(r"\t")[1] for line in lacks.split(r"\n")[:-1])
    line = f"apt-get install -y {packages}"
    done = machine.setup("sandbox")
    assert done.returncode == 1
    said = done.stderr.splitlines()
    assert said[1].strip() == (f"sudo {line}" if has_sudo else f"su -c '{line}'")
    assert [text.split()[2] for text in said[2:]] == packages.split()
    assert (done.stdout, machine.installed()) == ("", [])
    assert not (machine.checkout / ".venv").exists()


def test_without_the_sandbox_a_missing_library_stops_nothing(tmp_path: Path) -> None:
    """It is named first, all the same; then .venv is made."""
    done = Machine(tmp_path, 1000, LIBRARY).setup("tests")
    said = done.stderr.splitlines()
    assert "apt-get install -y libpython3.11" in said[1]
    assert "going on without" in said[3]
    assert (done.returncode, done.stdout) == (9, "making .venv\n")


@pytest.mark.parametrize("user", [0, 1000])
def test_who_may_install_gets_what_is_missing(user: int, tmp_path: Path) -> None:
    """Root, or who needs no password for sudo; what apt-get did not bring is told and stops it."""
    machine = Machine(tmp_path, user, LIBRARY)
    machine.add("sudo", 'case "$1" in -n) ;; *) exec "$@" ;; esac')
    done = machine.setup("sandbox")
    assert machine.installed() == ["update -qq", "install -y -qq libpython3.11"]
    assert done.returncode == 1
    assert "sudo apt-get install -y libpython3.11" in done.stderr


def test_without_a_python_it_is_named_with_its_library(tmp_path: Path) -> None:
    """Which library that is, apt knows."""
    machine = Machine(tmp_path, 1000, "")
    (machine.programs / "python3").unlink()
    machine.add("apt-cache", r"printf 'python3\n  Depends: python3.11\n  Depends: other\n'")
    done = machine.setup("sandbox")
    assert done.returncode == 1
    assert "su -c 'apt-get install -y python3 python3-venv libpython3.11'" in done.stderr


def test_with_nothing_missing_nothing_is_said(tmp_path: Path) -> None:
    """.venv is made at once."""
    done = Machine(tmp_path, 1000, "").setup("sandbox", "tests")
    assert done.stdout == "making .venv\n"
    assert done.stderr == "setup: Python 3.11.2 -> .venv\n"


@pytest.mark.parametrize(
    ("answer", "named", "told"),
    [
        ('["3.11", "/python", null, true]', "libpython3.11", "make demo"),
        ('["3.11", "/python", null, false]', "-", "uv python install"),
        ('["3.7", "/python", "/lib", true]', "-", "Triton's Python backend needs one of"),
    ],
    ids=["its library is a package", "built without a library", "too old"],
)
def test_a_python_that_triton_cannot_embed(
    answer: str, named: str, told: str, tmp_path: Path
) -> None:
    """The package that mends it is named; where none does, what does."""
    found = lacking(write_program(tmp_path / "python", f"echo '{answer}'"))
    assert [(who, package) for who, package, _ in found if who == "sandbox"] == [("sandbox", named)]
    assert told in found[-1][2]


def test_a_python_that_triton_can_embed(tmp_path: Path) -> None:
    """Nothing is missing for the sandbox, but git for the tests on a PATH without."""
    answer = '["3.11", "/python", "/lib", true]'
    found = lacking(write_program(tmp_path / "python", f"echo '{answer}'"))
    assert [who for who, _, _ in found] == ["tests"]


def lacking(python: Path) -> list[list[str]]:
    """Return what is missing for an interpreter that answers as it is told, on an empty PATH."""
    done = subprocess.run(
        [sys.executable, "-c", PROBED, python],
        cwd=ROOT,
        env={**os.environ, "PATH": str(python.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split("\t") for line in done.stdout.splitlines()]
