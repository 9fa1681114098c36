"""The import contracts of `make lint`, held against copies of the package with a wrong import."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import clarifai_build

ROOT = Path(__file__).parents[2]
PACKAGE = Path(clarifai_build.__file__).parent
LAYERS = "Imports run down the table of CONTRIBUTING.md BROKEN"
FOR_TYPES = """from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from clarifai_build.manifest.types import Manifest
"""
CIRCLES = "No circle of modules or packages BROKEN"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package, with the contracts beside it."""
    package = tmp_path / "clarifai_build"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "starters"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return package


def lint(package: Path) -> subprocess.CompletedProcess[str]:
    """Hold a package to the contracts that lie beside it."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--no-logo"],
        cwd=package.parent,
        env={"PYTHONPATH": str(package.parent), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )


def test_the_package_keeps_them(copy: Path) -> None:
    """As it is, both are kept."""
    done = lint(copy)
    assert done.returncode == 0, done.stdout
    assert "Contracts: 2 kept, 0 broken." in done.stdout


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("util/text.py", "from clarifai_build.cli.console import Console", LAYERS),
        ("util/text.py", "def late():\n    from clarifai_build.manifest import types", LAYERS),
        (
            "source/walk.py",
            FOR_TYPES,
            LAYERS,
        ),
        ("reports/diff.py", "from clarifai_build import pipeline", LAYERS),
        ("manifest/yaml_reader.py", "from clarifai_build.manifest import document", CIRCLES),
    ],
    ids=["upwards", "in a function", "for types alone", "to a sibling", "in a circle"],
)
def test_one_wrong_import_breaks_them(copy: Path, file: str, line: str, broken: str) -> None:
    """However it is hidden."""
    with (copy / file).open("a", encoding="utf-8") as module:
        module.write(f"\n{line}\n")
    done = lint(copy)
    assert done.returncode == 1, done.stdout
    assert broken in done.stdout
