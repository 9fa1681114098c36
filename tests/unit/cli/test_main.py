"""Which command is meant, and what is told where none is."""

from __future__ import annotations

import io
import json

import pytest

from clarifai_build._version import __version__
from clarifai_build.cli.console import Console
from clarifai_build.cli.main import COMMANDS, _dispatch


def ended(*arguments: str) -> tuple[int, str]:
    """Run a command line that argparse ends; returns the exit code, and the console's data."""
    out = io.StringIO()
    with pytest.raises(SystemExit) as raised:
        _dispatch(list(arguments), Console(out, io.StringIO()))
    assert isinstance(raised.value.code, int)
    return raised.value.code, out.getvalue()


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    """All are listed; to ask for nothing is a usage error."""
    assert _dispatch([], Console(io.StringIO(), io.StringIO())) == 64
    shown = capsys.readouterr().err
    assert [name for name in COMMANDS if f"  {name} " not in shown] == []
    assert ended("--help") == (0, "")


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """On stdout."""
    assert ended("--version")[0] == 0
    assert capsys.readouterr().out == f"clarifai-build {__version__}\n"


@pytest.mark.parametrize(
    ("name", "near"), [("aply", "did you mean 'apply'?"), ("zzzzzz", "no command 'zzzzzz'\n")]
)
def test_an_unknown_command_may_have_a_neighbour(
    name: str, near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A usage error."""
    assert ended(name)[0] == 64
    assert near in capsys.readouterr().err
    assert ended("--nonsense")[0] == 64


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "--json", "--nonsense"),
        ("status", "-o", "json", "--nonsense"),
        ("status", "-ojson", "--nonsense"),
        ("status", "-o=json", "--nonsense"),
        ("status", "--output=json", "--nonsense"),
        ("validate", "--output", "json", "--nonsense"),
    ],
)
def test_usage_errors_are_json_where_that_is_asked_for(arguments: tuple[str, ...]) -> None:
    """In each way to ask for it."""
    code, out = ended(*arguments)
    assert code == 64
    assert json.loads(out)["error"]["code"] == "usage"
    assert "--help" in json.loads(out)["error"]["hint"]


@pytest.mark.parametrize(
    "arguments", [("build", "-o", "json", "--nonsense"), ("status", "-o", "text", "--nonsense")]
)
def test_usage_errors_are_prose_elsewhere(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """`-o` may name a file."""
    assert ended(*arguments) == (64, "")
    assert "--nonsense" in capsys.readouterr().err


def test_options_are_not_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    """`--detailed` is no `--detailed-exitcode`."""
    assert ended("plan", "--detailed")[0] == 64
    assert ended("apply", "--ye")[0] == 64
