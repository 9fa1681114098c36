"""What the pages tell a newcomer to type works, typed as it stands there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clarifai_build.sandbox.lifecycle import STATE_VARIABLE, down
from support.pages import ROOT, blocks

README = ROOT / "README.md"
TUTORIAL = ROOT / "docs" / "tutorial" / "first-model.md"
# Blocks with one of these need what a test lacks: an account, the reader's photo, a release.
NEEDS_A_PERSON = ("…", "my-photo", "pip install", "make test", "apply clarifai.yaml")


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A copy of the checkout with an environment and a sandbox of its own, stopped at the end."""
    folder = tmp_path / "checkout"
    left_out = shutil.ignore_patterns(".git", ".venv", "*cache*", "dist", "build", "demo-output")
    shutil.copytree(ROOT, folder, ignore=left_out)
    environment = Path(sys.executable).parent
    (folder / ".venv").symlink_to(environment.parent)
    state = tmp_path / "sandbox"
    yield {
        **os.environ,
        "PWD": str(folder),
        "PATH": f"{environment}:{os.environ['PATH']}",
        STATE_VARIABLE: str(state),
    }
    down(state)


def type_in(page: Path, environ: dict[str, str]) -> str:
    """Type a page's commands into one shell, and return what they print."""
    typed = [
        command
        for block in blocks(page)
        if not any(word in command for command in block for word in NEEDS_A_PERSON)
        for command in block
    ]
    script = "\n".join(["set -eu", *typed])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=environ["PWD"],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{script}\n\n{done.stdout}"
    return done.stdout


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (README, "is ready"),
        (TUTORIAL, "nothing to do"),
    ],
    ids=["README", "tutorial"],
)
def test_newcomers_page(page: Path, said: str, checkout: dict[str, str]) -> None:
    """Every command of the page succeeds, in order."""
    assert said in type_in(page, checkout)
