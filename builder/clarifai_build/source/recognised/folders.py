"""Folders that other tools made, whatever they are called: known by what lies in them.

A name alone is a guess, and what it would drop may be code. So each kind has its mark, and what
lies beside what such a tool writes is taken as any other file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection

VIRTUAL_ENVIRONMENT = "virtual environment"
TRACKED_RUNS = "records of training runs"

MARKS = frozenset({"pyvenv.cfg", "conda-meta"})
"""A folder is looked at again where it holds one of these."""

_IN_ENVIRONMENT = frozenset(
    ("pyvenv.cfg", "conda-meta", "bin", "Scripts", "include", "Include", "lib", "Lib", "lib64")
)
# Beside these, where nothing else is: packages put there what they like.
_ALSO_IN_ENVIRONMENT = _IN_ENVIRONMENT.union(
    ("share", "etc", "man", "src", "doc", "var", "local", "tmp"),
    (".gitignore", "CACHEDIR.TAG", ".lock", "_virtualenv.py", "pip-selfcheck.json"),
)
_LIBRARY = re.compile(r"(?:python|pypy)\d[\w.]*|site-packages|tcl\S*")
_PROGRAM = re.compile(r"(?:activate|python|pip)[\w.-]*", re.IGNORECASE)

RUNS = {
    "wandb": re.compile(
        r"(?:offline-)?run-\d{8}_\d{6}-\w+|latest-run|debug(?:-\w+)*\.log|settings|sweep-\w+"
    ),
    "mlruns": re.compile(r"\d+|\.trash|models"),
    "mlartifacts": re.compile(r"\d+"),
    "lightning_logs": re.compile(r"version_\d+"),
}
"""By the name of a folder of runs, what all of its entries are called."""

_HIDDEN = frozenset({".gitignore", ".DS_Store"})


def parts_of(folder: str, name: str, is_root: bool) -> tuple[str, frozenset[str] | None] | None:
    """Return what a folder is and which of its entries belong to that; None: all of it.

    Nothing where it is a folder like any other. Raises OSError.
    """
    names = set(os.listdir(folder))  # noqa: PTH208 - names
    if name in RUNS:
        runs = _is_of_runs(name, names) and not is_root
        return (TRACKED_RUNS, None) if runs else None
    return _environment(folder, names, is_root)


def _is_of_runs(name: str, names: Collection[str]) -> bool:
    own = [entry for entry in names if entry not in _HIDDEN]
    return bool(own) and all(RUNS[name].fullmatch(entry) for entry in own)


def _environment(
    folder: str, names: set[str], is_root: bool
) -> tuple[str, frozenset[str] | None] | None:
    conda = os.path.isfile(f"{folder}/conda-meta/history")  # noqa: PTH113 - text all the way
    if not conda and "pyvenv.cfg" not in names:
        return None
    # conda's packages put anything there, but no module: those lie below lib.
    whole = (
        not any(name.endswith(".py") for name in names) if conda else names <= _ALSO_IN_ENVIRONMENT
    )
    if whole and not is_root:
        return VIRTUAL_ENVIRONMENT, None
    parts = frozenset(name for name in names & _IN_ENVIRONMENT if _belongs(folder, name, conda))
    return VIRTUAL_ENVIRONMENT, parts


def _belongs(folder: str, name: str, conda: bool) -> bool:
    """Return whether an entry was made with an environment: a folder of the user's may be `lib`."""
    if name in MARKS:
        return name == "pyvenv.cfg" or conda
    try:
        entries = os.listdir(f"{folder}/{name}")  # noqa: PTH208 - names
    except OSError:
        return False
    if name in ("bin", "Scripts"):
        return any(map(_PROGRAM.fullmatch, entries))
    return all(map(_LIBRARY.fullmatch, entries))
