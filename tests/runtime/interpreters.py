"""The Pythons of this machine, and an environment for the runtime's suite in each."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from clarifai_build.progress import no_progress
from clarifai_build.sandbox.engines.venvs import Recipe, provision
from clarifai_build.util.cache_dir import cache_folder

NUMPY_OF = {"3.8": 1, "3.9": 2, "3.10": 1, "3.11": 2, "3.12": 1, "3.13": 2}


class Case(NamedTuple):
    """One Python with one major version of numpy."""

    minor: str
    numpy: int

    def __str__(self) -> str:
        return f"Python {self.minor} with numpy {self.numpy}"


def cases() -> list[Case]:
    """List every Python the runtime supports, in turn with numpy 1 and numpy 2."""
    return [Case(minor, numpy) for minor, numpy in NUMPY_OF.items()]


def environment(case: Case, python: Path) -> Path:
    """Return an interpreter with numpy, pytest and hypothesis; kept in the user's cache."""
    packages = (f"numpy=={case.numpy}.*", "pytest==8.*", "hypothesis==6.*")
    target = cache_folder() / "environments" / f"runtime-suite-py{case.minor}-numpy{case.numpy}"
    recipe = Recipe("runtime suite", python, packages, "its Python may be too old or too new")
    return provision(target, recipe, no_progress) / "bin" / "python"
