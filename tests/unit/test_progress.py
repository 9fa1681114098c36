"""Warnings: told as progress is, shown on stderr, and part of what a command prints as JSON."""

from __future__ import annotations

import io
import json

import pytest

from clarifai_build.cli.console import Console
from clarifai_build.errors import StorageError
from clarifai_build.progress import Event, named, warn
from clarifai_build.storage import leases
from support.fakes import MemoryStore


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def printed(stderr: io.StringIO | None = None) -> tuple[Console, io.StringIO, io.StringIO]:
    """Return a console, and its two streams."""
    stdout, stderr = io.StringIO(), stderr or io.StringIO()
    return Console(stdout, stderr), stdout, stderr


def test_without_a_warning_there_is_no_such_key() -> None:
    """What is told besides is no warning."""
    console, stdout, _ = printed()
    console.progress()(Event("work", "done", "is done"))
    console.json({"models": []})
    assert json.loads(stdout.getvalue()) == {"models": []}


def test_warnings_are_in_the_json_and_on_stderr() -> None:
    """With code and stage; that of several models names the model."""
    console, stdout, stderr = printed()
    warn(named("lines", console.progress()), "some-code", "look out", stage="work", hint="do")
    console.json({"models": []})
    document = json.loads(stdout.getvalue())
    (warning,) = document["warnings"]
    shown = {name: warning[name] for name in ("code", "message", "stage", "hint", "severity")}
    assert shown == {
        "code": "some-code",
        "message": "look out",
        "stage": "lines work",
        "hint": "do",
        "severity": "warning",
    }
    assert stderr.getvalue() == "warning[some-code] lines work: look out\n    = do\n"


def test_a_failure_comes_with_its_warnings() -> None:
    """They may say why."""
    console, stdout, _ = printed()
    console.json_errors = True
    warn(console.progress(), "some-code", "look out", stage="work")
    console.failure(StorageError.of("store-failed", "no"))
    document = json.loads(stdout.getvalue())
    assert document["error"]["code"] == "store-failed"
    assert [warning["code"] for warning in document["warnings"]] == ["some-code"]


def test_a_command_keeps_its_own_key_and_its_closed_form() -> None:
    """`validate` counts warnings, and the schema of plans knows none."""
    console, stdout, _ = printed()
    warn(console.progress(), "some-code", "look out", stage="work")
    console.json({"warnings": 3})
    assert json.loads(stdout.getvalue()) == {"warnings": 3}
    console, stdout, _ = printed()
    warn(console.progress(), "some-code", "look out", stage="work")
    console.json({"models": []}, with_warnings=False)
    assert json.loads(stdout.getvalue()) == {"models": []}


def test_a_terminal_shows_a_warning_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it shows the problems of a manifest."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    console, _, stderr = printed(Terminal())
    warn(console.progress(), "some-code", "look out", stage="work")
    console.close()
    assert "\x1b[33;1mwarning[some-code]\x1b[0m work: look out\n" in stderr.getvalue()


def test_a_lease_that_is_not_given_back_is_a_warning() -> None:
    """What was done under it is done, and whoever comes next has to wait."""
    console, stdout, _ = printed()
    store = MemoryStore()
    holder = leases.Holder.here("apply mine", {})

    def refuse(name: str) -> None:
        if name == "delete":
            raise StorageError.of("store-failed", "no")

    with leases.held(store, "lease", holder, console.progress()):
        store.calls.before = refuse
    console.json({})
    (warning,) = json.loads(stdout.getvalue())["warnings"]
    assert (warning["code"], warning["stage"]) == ("lease-not-released", "lease")
