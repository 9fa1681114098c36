"""What child processes see: neither credentials nor what leads Python elsewhere."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import clarifai_build
from clarifai_build.util.child_environment import CREDENTIALS, child_environment, without_tokens

PACKAGE = Path(clarifai_build.__file__).parent
MODULES = [file for file in PACKAGE.rglob("*.py") if "starters" not in file.parts]


@pytest.mark.parametrize(
    "name", [*CREDENTIALS, "AWS_PROFILE", "AWS_SECURITY_TOKEN", "CLARIFAI_USER_ID"]
)
def test_credentials_stay_here(name: str) -> None:
    """Not the tokens alone: what names an account is nobody's business either."""
    assert child_environment({name: "x", "PATH": "/bin"}) == {"PATH": "/bin"}


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET"])
def test_python_finds_its_own(name: str) -> None:
    """A child with a Python of its own must not find the packages of ours."""
    assert child_environment({name: "x"}) == {}


@pytest.mark.parametrize("name", ["PIP_INDEX_URL", "UV_INDEX_URL", "LD_LIBRARY_PATH", "HOME"])
def test_what_children_need_passes(name: str) -> None:
    """Where packages come from, and where libraries lie."""
    assert child_environment({name: "x"}) == {name: "x"}


def test_the_tool_as_a_child_may_fetch_weights() -> None:
    """`build --check` reads buckets as the build did, and talks to no platform."""
    environ = {"CLARIFAI_PAT": "x", "CLARIFAI_SESSION_TOKEN": "x", "AWS_ACCESS_KEY_ID": "x"}
    assert without_tokens(environ) == {"AWS_ACCESS_KEY_ID": "x"}


def starts_a_child(node: ast.AST) -> bool:
    """Return whether a node is a call that starts a process."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    name = ast.unparse(node.func)
    return name in ("subprocess.run", "subprocess.Popen", "subprocess.check_output", "os.system")


def test_no_child_inherits_everything() -> None:
    """Each child is given an environment, and none is given `os.environ` itself."""
    calls = [
        (file.name, node)
        for file in MODULES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if starts_a_child(node)
    ]
    assert len(calls) > 8
    environs = {
        (name, node.lineno): next((k for k in node.keywords if k.arg == "env"), None)
        for name, node in calls
        if isinstance(node, ast.Call)
    }
    bare = [
        place
        for place, given in environs.items()
        if given is None or "os.environ" in ast.unparse(given.value)
    ]
    assert bare == []
