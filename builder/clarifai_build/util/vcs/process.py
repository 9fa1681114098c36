"""Git as a process: of one folder, whatever repository the environment points at.

Hooks, `git rebase --exec` and aliases set GIT_DIR, GIT_INDEX_FILE and more for a repository of
their own, which need not be the folder's.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from clarifai_build.errors import SourceError
from clarifai_build.util.processes.child_environment import child_environment

if TYPE_CHECKING:
    import subprocess

_NOTHING: Mapping[str, str] = MappingProxyType({})
_INSTALL = "install Git where clarifai-build runs"
_SAFE = "where the folder can be trusted: git config --global --add safe.directory '{}'"
_MOVED = "let Git itself answer first: `git status` in that folder"


class GitError(SourceError):
    """Git gives no answer about a folder that lies in a repository."""


def repository_above(folder: Path) -> Path | None:
    """Return the folder nearest above that Git takes for a repository's, found without Git."""
    return nearest_repository(folder.resolve())


def nearest_repository(here: Path) -> Path | None:
    """Return likewise for a folder that is a real path."""
    place = str(here)
    while not _is_repository(place):
        below, place = place, os.path.dirname(place)  # noqa: PTH120 - text: for each manifest
        if place == below:
            return None
    return Path(place)


def answers(folder: Path) -> bool:
    """Return whether the folder lies in a repository.

    Raises GitError where it does, and Git is missing, refuses or can't read it.
    """
    if (top := repository_above(folder)) is None and not _named_by_environment(folder):
        return False
    done = run(folder, "rev-parse", "--git-dir")
    if done.returncode == 0:
        return True
    said = _last_words(done)
    hint = _SAFE.format(top) if b"safe.directory" in done.stderr else _MOVED
    raise GitError.of("git-refuses", f"Git can't be asked about {top or folder}: {said}", hint=hint)


def run(
    folder: Path, *arguments: str, environ: Mapping[str, str] = _NOTHING, given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run Git in a folder; `given` is its standard input. Raises GitError where there is none."""
    from clarifai_build.util.processes import children

    try:
        return children.exchange(
            ["git", *arguments], cwd=folder, env={**_environment(folder), **environ}, given=given
        )
    except OSError as error:
        message = f"Git can't be started, and {folder} lies in a repository: {error.strerror}"
        raise GitError.of("git-missing", message, hint=_INSTALL) from error


def line(folder: Path, *arguments: str) -> str:
    """Return Git's answer, or nothing where it knows none: only of a repository that `answers`."""
    done = run(folder, *arguments)
    return _text(done.stdout) if done.returncode == 0 else ""


def told(folder: Path, *arguments: str) -> str:
    """Return Git's answer, a line; raises GitError where it fails."""
    return _text(must(folder, *arguments))


def must(
    folder: Path, *arguments: str, environ: Mapping[str, str] = _NOTHING, given: bytes = b""
) -> bytes:
    """Return Git's answer; raises GitError where it fails."""
    done = run(folder, *arguments, environ=environ, given=given)
    if done.returncode == 0:
        return done.stdout
    # The first word that is no option of Git itself is the command.
    command = next(word for word in arguments if not word.startswith("-") and "=" not in word)
    message = f"git {command} failed: {_last_words(done)}"
    raise GitError.of("git-failed", message, hint=_MOVED)


def _text(said: bytes) -> str:
    return os.fsdecode(said).removesuffix("\n")


def _last_words(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return the reason that Git gave: the line that says `fatal`, or else the last one."""
    lines = os.fsdecode(done.stderr).strip().splitlines() or ["no reason given"]
    return next((line for line in lines if line.startswith("fatal: ")), lines[-1])


def _environment(folder: Path) -> dict[str, str]:
    environ = child_environment()
    # Asking must not write: another process, or a file system, may hold the index.
    environ["GIT_OPTIONAL_LOCKS"] = "0"
    return environ | (_named_by_environment(folder) if not repository_above(folder) else {})


def _named_by_environment(folder: Path) -> dict[str, str]:
    """Return the repository that the user names for this very folder, which has no `.git`: a bare
    one, with a work tree elsewhere. GIT_DIR alone would make any folder its work tree."""
    named = {name: os.environ.get(name, "") for name in ("GIT_DIR", "GIT_WORK_TREE")}
    if not all(named.values()):
        return {}
    places = {name: Path(value).resolve() for name, value in named.items()}
    if not folder.resolve().is_relative_to(places["GIT_WORK_TREE"]):
        return {}
    return {name: str(place) for name, place in places.items()}


def _is_repository(place: str) -> bool:
    """Return whether there is a `.git`: a repository, or the file that leads to one."""
    inner = f"{place}/.git"
    try:
        mode = os.stat(inner).st_mode  # noqa: PTH116 - as above
    except (OSError, ValueError):  # without access, too
        return False
    return stat.S_ISREG(mode) or os.path.exists(f"{inner}/HEAD")  # noqa: PTH110 - False likewise
