"""`validate`: every problem of every manifest at once, in the form that is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clarifai_build.errors import UsageError
from support.command_line import command
from support.light_platform import INFERENCE


@pytest.fixture
def good(home: Path) -> Path:
    """A manifest without problems."""
    (home / "inference.py").write_text(INFERENCE)
    (home / "clarifai.yaml").write_text("model: {id: lines, type: text-to-text}\n")
    return home / "clarifai.yaml"


@pytest.fixture
def bad(good: Path) -> Path:
    """A second manifest with three errors."""
    (good.parent / "bad.clarifai.yaml").write_text("nonsense: 1\nmodel: {id: b, type: none}\n")
    return good.parent / "bad.clarifai.yaml"


@pytest.mark.usefixtures("good")
def test_where_nothing_is_wrong_little_is_said() -> None:
    """Documents are written all the same."""
    ran = command("validate")
    assert (ran.code, ran.out, ran.err) == (0, "", "1 manifest: no problems\n")
    assert command("validate", "-o", "github").out == ""
    assert json.loads(command("validate", "-o", "json").out) is not None
    assert json.loads(command("validate", "-o", "sarif").out)["version"] == "2.1.0"


@pytest.mark.usefixtures("bad")
@pytest.mark.parametrize("output", ["text", "json", "github", "sarif"])
def test_every_problem_is_told(output: str) -> None:
    """In each form, with an exit code that says so."""
    ran = command("validate", "-o", output)
    assert ran.code == 3
    assert "nonsense" in ran.out
    assert "bad.clarifai.yaml" in ran.out
    assert ran.err == "2 manifests: 3 errors\n"


@pytest.mark.usefixtures("good")
def test_forms_are_told_apart(bad: Path) -> None:
    """One is a document for a code host, one is a command a line, one is for people."""
    assert command("validate", bad, "-o", "sarif").json["runs"]
    assert command("validate", bad, "-o", "github").out.startswith("::error ")
    assert "error[" in command("validate", bad).out
    assert "3 errors" in command("validate", bad).err


def test_a_name_that_leads_nowhere_is_an_error(home: Path) -> None:
    """An empty folder has no manifest to be right."""
    with pytest.raises(UsageError, match=r"no clarifai\.yaml"):
        command("validate", home)
