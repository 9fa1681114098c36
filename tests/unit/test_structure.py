"""The cut of the code: layers as documented, only the CLI prints, nothing heavy loads early."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import clarifai_build
from clarifai_build.cli.main import COMMANDS

PACKAGE = Path(clarifai_build.__file__).parent
ROOT = Path(__file__).parents[2]
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = ("boto3", "botocore", "grpc", "numpy", "jinja2", "cookiecutter", "rich", "tritonclient")


def part(file: Path) -> str:
    """Return a module's or sub-package's name below clarifai_build."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def layers() -> list[str]:
    """Return the packages in the order of the layers contract, the highest first."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = re.search(r"^layers = \[\n(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    assert block is not None
    return re.findall(r"\w+", block[1])


def test_contributing_shows_the_layers() -> None:
    """The table that people read is the contract that `make lint` holds."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", page, re.MULTILINE)
    assert [name for cell in cells for name in re.findall(r"\w+", cell)] == layers()


def test_every_module_has_a_layer() -> None:
    """Nothing stands outside the contract: what is not in it may import anything."""
    parts = {part(file) for file in MODULES} - {"__init__", "__main__", "starters"}
    assert parts == set(layers())


def test_no_module_hides_a_public_name() -> None:
    """Importing a submodule sets it on its package, where it would take the place of a function."""
    assert {part(file) for file in MODULES} & set(clarifai_build.__all__) == set()


def test_every_public_name_is_there() -> None:
    """Each comes from the module that defines it, when it is asked for."""
    names = set(clarifai_build.__all__) - {"__version__"}
    assert names == set(clarifai_build._HOMES)
    assert all(getattr(clarifai_build, name) for name in names)


def test_folders_stay_small() -> None:
    """A reader sees a folder at once; commands alone are many, a file each."""
    sizes = Counter(file.parent for file in MODULES if "starters" not in file.parts)
    del sizes[PACKAGE / "cli" / "commands"]
    assert {str(folder): size for folder, size in sizes.items() if size > 14} == {}


@pytest.mark.parametrize(
    "file", [file for file in MODULES if file.name == "__init__.py"], ids=lambda file: part(file)
)
def test_faces_are_docstrings(file: Path) -> None:
    """An eager face would load what `--help` must not."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    assert ast.get_docstring(ast.Module(body, [])) is not None
    if file.parent.relative_to(PACKAGE).as_posix() not in (
        ".",
        "connection",
        "storage",
        "registry",
    ):
        assert len(body) == 1


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_only_the_cli_prints_and_exits(file: Path) -> None:
    """The library returns values and raises errors."""
    if part(file) in ("cli", "__main__"):
        return
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & {"print", "exit", "quit", "input"}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_loads_nothing_heavy(command: str) -> None:
    """`--help` of every command, and what it imports to say it, stays light."""
    code = (
        "import sys\nfrom clarifai_build.cli.main import main\n"
        "try:\n    main([sys.argv[1], '--help'])\nexcept SystemExit as done:\n"
        "    assert done.code == 0\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "sys.exit(f'loaded {loaded}' if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"clarifai-build {command}" in done.stdout
