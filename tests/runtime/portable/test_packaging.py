"""What the runtime may need: the standard library, numpy and Triton's own module."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from runtime.portable.repositories import RUNTIME

ALLOWED = {"numpy", "triton_python_backend_utils"}
# Imported by a runner's model.py alone, beside which there always is clarifai, and what it brings.
RUNNER = {"clarifai", "clarifai_grpc", "PIL"}


def imported(file):
    """Return the top-level names a file imports, and whether all other imports are relative."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").partition(".")[0])
    return names


def test_the_runtime_imports_nothing_else():
    """Every import of every file is relative, of the standard library, or allowed."""
    files = sorted(RUNTIME.glob("**/*.py"))
    assert len(files) > 10
    inner = {file for file in files if file.parent.name == "runner"}
    assert set().union(*map(imported, inner)) >= RUNNER
    names = set().union(*map(imported, inner)) - RUNNER - ALLOWED
    names |= set().union(*map(imported, set(files) - inner)) - ALLOWED
    if sys.version_info >= (3, 10):
        assert names <= sys.stdlib_module_names
    else:
        command = [sys.executable, "-I", "-S", "-c", f"import {', '.join(sorted(names))}"]
        assert subprocess.run(command).returncode == 0


@pytest.mark.parametrize("name", ["model_types", "parameters", "testing.parameters"])
def test_what_the_builder_reads_needs_no_numpy(name):
    """The builder reads it at start-up, where 74 ms for numpy would show."""
    script = (
        f"import sys; sys.path.insert(0, {str(RUNTIME.parent)!r}); "
        f"import clarifai_runtime.{name}; sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-I", "-c", script]).returncode == 0


def test_a_folder_has_few_modules():
    """A package by purpose, rather than one folder for everything."""
    folders = {file.parent for file in RUNTIME.glob("**/*.py")}
    assert all(len(list(folder.glob("*.py"))) <= 14 for folder in folders)


def test_what_users_import_is_there():
    """Where models and their tests import it from, whatever the folders behind it are called."""
    from clarifai_runtime.errors import RequestError
    from clarifai_runtime.testing import ModelTests
    from clarifai_runtime.triton_model import TritonPythonModel

    assert all(map(isinstance, (RequestError, ModelTests, TritonPythonModel), (type,) * 3))
    assert not hasattr(sys.modules["clarifai_runtime.testing"], "nothing")


def test_public_names_are_there():
    """Each name of __all__ can be imported, and no other name is invented."""
    import clarifai_runtime

    assert all(getattr(clarifai_runtime, name) for name in clarifai_runtime.__all__)
    assert not hasattr(clarifai_runtime, "nothing")
