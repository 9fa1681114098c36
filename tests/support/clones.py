"""Git repositories, and the shapes of checkouts that the world has of them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from support.trees import write_files

_WHO = ("user.name=n", "user.email=e@example.com", "init.defaultBranch=main")
# A submodule from a path of this machine needs leave since Git 2.38.
_SETTINGS = [part for one in (*_WHO, "protocol.file.allow=always") for part in ("-c", one)]


def git(folder: Path, *arguments: str) -> str:
    """Run Git in a folder, whatever repository a hook of this run points at; return its words."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *_SETTINGS, *arguments],
        cwd=folder,
        env=environ,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def commit(folder: Path, files: dict[str, bytes], message: str = "commit") -> str:
    """Write files into a repository, made if need be, and commit all that is there."""
    write_files(folder, files)
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")
