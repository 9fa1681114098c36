"""The cut of the code: imports point one way, only the CLI prints, nothing heavy loads early."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Collection, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import clarifai_build
from clarifai_build.cli.main import COMMANDS

PACKAGE = Path(clarifai_build.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = ("boto3", "botocore", "grpc", "numpy", "jinja2", "cookiecutter", "rich", "tritonclient")


def imports(file: Path) -> Iterator[str]:
    """Yield every clarifai_build module that a file imports, wherever the import stands."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(file: Path) -> str:
    """Return a module's or sub-package's name below clarifai_build."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


PARTS_ABOVE = ("pipeline", "sandbox", "cli", "legacy", "testing", "__init__")


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_imports_point_one_way(file: Path) -> None:
    """Nothing imports the CLI but the CLI, and nothing below the pipeline imports the pipeline."""
    imported = {name.split(".")[1] for name in imports(file) if name.startswith("clarifai_build.")}
    own = part(file)
    if own not in ("cli", "__main__"):
        assert "cli" not in imported
    if own not in PARTS_ABOVE:
        assert not imported & {"pipeline", "sandbox"}


def needed(file: Path, modules: Collection[str]) -> set[str]:
    """Return the modules that a file imports, in its functions, too, but for types alone."""
    tree = ast.parse(file.read_text())
    for_types = {
        node
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and ast.unparse(test.test) == "TYPE_CHECKING"
        for node in ast.walk(test)
    }
    found: set[str] = set()
    for node in set(ast.walk(tree)) - for_types:
        if isinstance(node, ast.ImportFrom) and node.module:
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            found |= {name if name in modules else node.module for name in names}
    return found & set(modules)


def test_imports_make_no_circle() -> None:
    """Whoever reads a module has to know those below it, and none above."""
    files = {
        ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(
            ".__init__"
        ): file
        for file in MODULES
        if "starters" not in file.parts
    }
    graph = {name: needed(file, files) for name, file in files.items()}
    assert graph["clarifai_build.artifact.tree"] > {
        "clarifai_build.artifact.layout",
        "clarifai_build.weights.locate",
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)


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
