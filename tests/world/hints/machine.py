"""Ways out of what this machine lacks or refuses, and of files that are too many or not there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.bounded import sparse
from support.command_line import World
from support.following import fine, live, told
from world.hints.platform import Following


def more_problems(world: World, _variables: pytest.MonkeyPatch) -> None:
    """Those that are told are fixed, until none is left."""
    manifest = world.model(at=".")
    text = manifest.read_text()
    lines = [f"k{number}: 1\n" for number in range(150)]
    manifest.write_text(text + "".join(lines))
    told("more-problems", "validate")
    manifest.write_text(text + "".join(lines[100:]))
    assert "more-problems" not in told("unknown-key", "validate")
    manifest.write_text(text)
    live()


def labels_unreadable(world: World, _variables: pytest.MonkeyPatch) -> None:
    """One of gigabytes is replaced by one that has labels."""
    manifest = world.model(at=".")
    text = manifest.read_text().replace("text-to-text", "text-classifier, labels: labels.txt")
    manifest.write_text(text)
    code = Path("inference.py").read_text()
    Path("inference.py").write_text(code.replace('"text-to-text"', '"text-classifier"'))
    sparse(Path("labels.txt"))
    told("labels-unreadable", "validate")
    Path("labels.txt").unlink()
    Path("labels.txt").write_text("cat\ndog\n")
    fine("validate")


def unreadable(world: World, _variables: pytest.MonkeyPatch) -> None:
    """A file of rules that is saved as UTF-8."""
    world.model(at=".")
    Path(".clarifaiignore").write_bytes("/mod\u00e8le\n".encode("latin-1"))
    assert "save it as UTF-8" in told("unreadable", "validate")
    Path(".clarifaiignore").write_text("/mod\u00e8le\n")
    live()


def unwritable(world: World, _variables: pytest.MonkeyPatch) -> None:
    """Another folder."""
    world.model(at=".")
    Path("../file").write_text("")
    told("unwritable", "build", ".", "-o", "../file/x.zip")
    fine("build", ".", "-o", "../x.zip")


def insecure_address(world: World, variables: pytest.MonkeyPatch) -> None:
    """The host is named as one where nobody else can read; the token is sent there then."""
    manifest = world.model(at=".")
    # This machine, by an address that is not among its own.
    manifest.write_text(manifest.read_text().replace("127.0.0.1", "0.0.0.0"))
    assert "CLARIFAI_BUILD_INSECURE_HOSTS" in told("insecure-address", "apply")
    assert world.zips() == []
    variables.setenv("CLARIFAI_BUILD_INSECURE_HOSTS", "0.0.0.0")
    live()


def no_home(world: World, variables: pytest.MonkeyPatch) -> None:
    """`XDG_CACHE_HOME`, or a home."""
    world.model(at=".")
    with variables.context() as nobody:
        nobody.delenv("XDG_CACHE_HOME")
        nobody.setenv("HOME", "~nobody-of-that-name")
        assert "set HOME, or XDG_CACHE_HOME" in told("no-home", "build", ".", "-o", "../x.zip")
        nobody.setenv("XDG_CACHE_HOME", str(world.folder.parent / "other"))
        live()
        nobody.delenv("XDG_CACHE_HOME")
        nobody.setenv("HOME", str(world.folder.parent / "home"))
        fine("build", ".", "-o", "../x.zip")


def output(world: World, _variables: pytest.MonkeyPatch) -> None:
    """The output goes elsewhere."""
    world.model(at=".")
    command = [sys.executable, "-m", "clarifai_build", "config"]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 1
    assert "error[output]" in ran.stderr
    assert "send the output elsewhere" in ran.stderr
    with Path("../config.yaml").open("w") as file:
        subprocess.run(command, stdout=file, check=True)
    assert "text-to-text" in Path("../config.yaml").read_text()


FOLLOWED: Mapping[str, Following] = {
    "insecure-address": insecure_address,
    "labels-unreadable": labels_unreadable,
    "more-problems": more_problems,
    "no-home": no_home,
    "output": output,
    "unreadable": unreadable,
    "unwritable": unwritable,
}
