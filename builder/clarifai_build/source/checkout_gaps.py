"""What Git has in a folder and the work tree lacks: a clone may come without what it stands for.

A submodule that is not initialised is an empty folder, and files outside of a sparse checkout are
not there: packed as it is, the model would lack them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from clarifai_build.errors import Problem
from clarifai_build.source.ignoring.ignore import IGNORE_FILE, Rules
from clarifai_build.util import git
from clarifai_build.util.small_files import MIB, read_small_text
from clarifai_build.util.vcs.index import Tracked
from clarifai_build.util.vcs.process import GitError, nearest_repository, repository_above

_MODULES = ".gitmodules"
_MODULE_PATH = re.compile(r"^\s*path\s*=\s*(.+?)\s*$", re.MULTILINE)
_INIT = "`git submodule update --init --recursive` brings it (in CI: checkout with submodules)"
_SPARSE = "`git sparse-checkout add` its folder, or `git sparse-checkout disable`"


class Gap(NamedTuple):
    """A path below the folder at which Git has something that is not there."""

    path: str
    submodule: bool


def missing_files(folder: Path, rules: Rules, empty: Iterable[str]) -> list[Problem]:
    """Return a problem for each gap that would be packed; `empty` are the empty folders there.

    `folder` is a real path.
    """
    found: dict[str, Problem] = {}
    for root in _repositories(folder, list(empty)):
        for gap in gaps(root):
            path = os.path.relpath(root / gap.path, folder).replace(os.sep, "/")
            if not path.startswith("../") and not _stays_out(rules, path, gap.submodule):
                found[path] = _problem(path, submodule=gap.submodule)
    return list(found.values())


def gaps(folder: Path) -> list[Gap]:
    """Return what is missing below a folder; without an answer of Git, by `.gitmodules` alone."""
    try:
        known = git.tracked(folder)
    except GitError:
        return [Gap(path, True) for path in _submodules(folder) if _is_empty(folder / path)]
    return [
        Gap(one.path, one.submodule)
        for one in known
        if (_is_empty(folder / one.path) if one.submodule else _is_absent(folder, one))
    ]


def _repositories(folder: Path, empty: list[str]) -> Iterator[Path]:
    """Yield the folders to ask Git about: the one itself, and repositories within it.

    Git is asked only where something hints at a gap: it takes longer than a small model's walk.
    """
    top = nearest_repository(folder)
    if top is not None and (empty or _hints(top)):
        yield folder
    inner = {repository_above((folder / path).parent) for path in empty}
    yield from (place for place in inner if place and place != folder and folder in place.parents)


def _hints(top: Path) -> bool:
    places = (top / _MODULES, top / ".git" / "info" / "sparse-checkout")
    # The `.git` of a linked work tree is a file, and its settings lie elsewhere.
    return (top / ".git").is_file() or any(place.exists() for place in places)


def _submodules(folder: Path) -> Iterator[str]:
    top = repository_above(folder)
    try:
        text = read_small_text(top / _MODULES, MIB, errors="replace") if top else ""
    except OSError:
        return
    for path in _MODULE_PATH.findall(text):
        below = os.path.relpath(f"{top}/{path}", folder.resolve())
        if not below.startswith(".."):
            yield below


def _is_empty(folder: Path) -> bool:
    try:
        return not any(folder.iterdir())
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _is_absent(folder: Path, one: Tracked) -> bool:
    # One that was removed by hand is a change like any other: Git was told to look at it.
    return one.hidden and not os.path.lexists(folder / one.path)


def _stays_out(rules: Rules, path: str, folder: bool) -> bool:
    """Return whether a rule leaves a path out, or a folder that it lies in."""
    parts = path.split("/")
    above = ("/".join(parts[:count]) for count in range(1, len(parts)))
    if any(rules.reason(place, place.rpartition("/")[2], True) for place in above):
        return True
    return rules.reason(path, parts[-1], folder) is not None


def _problem(path: str, *, submodule: bool) -> Problem:
    leave = f"or leave it out by a line in {IGNORE_FILE}"
    if submodule:
        message = f"{path} is a submodule that is not initialised: it would be packed empty"
        return Problem("submodule-empty", message, file=path, hint=f"{_INIT}, {leave}")
    message = f"{path} is in Git, but outside of the sparse checkout: it would be missing"
    return Problem("not-checked-out", message, file=path, hint=f"{_SPARSE}, {leave}")
