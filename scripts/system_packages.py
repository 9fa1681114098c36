"""Names what this machine lacks and only root can install, by Debian's packages: for scripts/setup.

    python3 scripts/system_packages.py

A line a package, cut by tabs: what can't do without it (`all`, `tests`, `sandbox`), its name, and
what it is for. The name is `-` for a lack that no package ends. It runs on a bare Python, before
anything is installed.
"""

from __future__ import annotations

import os
import shutil
import ssl
import sys
import sysconfig
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "builder"))
from clarifai_build.errors import SandboxError
from clarifai_build.sandbox.engines.install import find_interpreter, library_package


class Lack(NamedTuple):
    """A package that is missing, and what for."""

    who: str
    package: str
    purpose: str


def lacking() -> Iterator[Lack]:
    """Yield each package that is missing."""
    if not (find_spec("ensurepip") and find_spec("venv")):
        version = sysconfig.get_config_var("py_version_short")
        yield Lack("all", f"python{version}-venv", "making .venv")
    if not has_authorities():
        yield Lack("all", "ca-certificates", "downloads")
    if not shutil.which("git"):
        yield Lack("tests", "git", "make test")
    yield from lacking_for_the_sandbox()


def has_authorities() -> bool:
    """Say whether there is anything to trust on the web."""
    trusted = ssl.get_default_verify_paths()
    folder = Path(trusted.capath or os.devnull)
    return bool(trusted.cafile) or (folder.is_dir() and any(folder.iterdir()))


def lacking_for_the_sandbox() -> Iterator[Lack]:
    """Yield what Triton needs: a shared library of Python, which it embeds."""
    try:
        find_interpreter()
    except SandboxError as error:
        (problem,) = error.problems
        package = library_package()
        more = "" if package else f": {problem.message}; {problem.hint}"
        yield Lack("sandbox", package or "-", f"the sandbox (make demo, make test){more}")


if __name__ == "__main__":
    for lack in lacking():
        print(*lack, sep="\t")
