"""Where the Pythons of this machine are."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def find_python(version: str, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return an interpreter of a version such as "3.11": this one, one of pyenv's, or on PATH."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Path(sys.executable)
    home = Path(environ.get("HOME", "~")).expanduser()
    versions = Path(environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    installed = sorted(versions.glob(f"{version}.*/bin/python{version}"))
    # Before PATH, where pyenv puts a shim for every version, installed or not.
    if installed:
        return installed[-1]
    on_path = shutil.which(f"python{version}", path=environ.get("PATH"))
    return Path(on_path) if on_path else None


def nearest_python(version: str, known: Sequence[str]) -> tuple[str, Path] | None:
    """Return the Python of a version, or of the one of `known` that is nearest to it, and its path.

    Of two that are as near, the older one: what is built for it runs on the newer more often than
    the other way round.
    """
    wanted = _minor(version)
    order = sorted(known, key=lambda each: (abs(_minor(each) - wanted), _minor(each)))
    found = ((each, find_python(each)) for each in order)
    return next(((each, path) for each, path in found if path is not None), None)


def _minor(version: str) -> int:
    return int(version.partition(".")[2])
