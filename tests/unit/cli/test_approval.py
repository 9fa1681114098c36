"""Whether what is about to be done was seen and wanted."""

from __future__ import annotations

import io

import pytest

from clarifai_build.cli.approval import Approval
from clarifai_build.cli.console import Console
from clarifai_build.deploy.actions import Action
from clarifai_build.deploy.destroy import Deletion
from clarifai_build.deploy.planning import Observed, Plan
from clarifai_build.deploy.registration import Registration
from clarifai_build.deploy.saved_plan import SavedPlan
from clarifai_build.errors import StalePlanError, UsageError
from support.command_line import Terminal
from support.fakes import manifest_of

DOOMED = [Deletion("old", ("v1", "v2"), whole=True)]


def ask(monkeypatch: pytest.MonkeyPatch, answer: str) -> str:
    """Ask somebody who answers so, and return what was shown."""
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    shown = io.StringIO()
    Approval(Terminal(io.StringIO(), shown), None, yes=False).ask(["one", "two"])
    return shown.getvalue()


@pytest.mark.parametrize("answer", ["y\n", "Y\n", "yes\n", " Yes \n", "YES"])
def test_only_a_yes_is_one(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """What is asked about is shown first."""
    assert ask(monkeypatch, answer) == "one\ntwo\nDestroy it? [y/N]\n"


@pytest.mark.parametrize(
    "answer", ["", "\n", "n\n", "no\n", "yess\n", "ye\n", "1\n", "no, yes\n", "ja\n"]
)
def test_anything_else_is_a_no(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """The end of the input, too."""
    with pytest.raises(UsageError) as raised:
        ask(monkeypatch, answer)
    assert raised.value.problems[0].code == "not-approved"


def test_who_said_yes_is_not_asked() -> None:
    """It is shown all the same, also where nobody sits at a terminal."""
    shown = io.StringIO()
    Approval(Console(io.StringIO(), shown), None, yes=True).ask(["one"])
    assert shown.getvalue() == "one\n"


def test_nobody_can_be_asked_without_a_terminal() -> None:
    """The way out is told."""
    shown = io.StringIO()
    with pytest.raises(UsageError) as raised:
        Approval(Console(io.StringIO(), shown), None, yes=False).ask(["one"])
    assert "--yes" in (raised.value.problems[0].hint or "")
    assert shown.getvalue() == "one\n"


def saved(prune: dict[str, tuple[str, ...]]) -> SavedPlan:
    """Return a saved plan that prunes models."""
    return SavedPlan(
        **{
            name: {"id": "p", "prune": prune}.get(name, ())
            for name in SavedPlan.__dataclass_fields__
        }
    )


def test_a_saved_plan_prunes_what_it_says() -> None:
    """No other model, and no other version of one; nobody is asked."""
    console = Console(io.StringIO(), io.StringIO())
    Approval(console, saved({"old": ("v1", "v2")}), yes=False).of_pruning(DOOMED)
    Approval(console, saved({}), yes=False).of_pruning([])
    for other in ({}, {"old": ("v1",)}, {"old": ("v1", "v2"), "more": ()}):
        for yes in (True, False):
            with pytest.raises(StalePlanError, match="other models"):
                Approval(console, saved(other), yes=yes).of_pruning(DOOMED)
    assert Approval(console, saved({}), yes=False).id == "p"
    assert Approval(console, None, yes=False).id == ""


def test_without_a_plan_pruning_is_asked_about() -> None:
    """Each model by name, but only where there is something to prune."""
    shown = io.StringIO()
    console = Console(io.StringIO(), shown)
    Approval(console, None, yes=False).of_pruning([])
    assert shown.getvalue() == ""
    with pytest.raises(UsageError):
        Approval(console, None, yes=False).of_pruning(DOOMED)
    assert "old" in shown.getvalue()


def test_what_costs_money_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """In words of its own; nothing is destroyed by it."""
    registration = Registration.of(manifest_of(), "a" * 64, 1)
    action = Action("create-nodepool", "there is none", costly=True)
    plan = Plan(registration, Observed(None, (), None), (action,), None)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    shown = io.StringIO()
    with pytest.raises(UsageError, match="nothing was made"):
        Approval(Terminal(io.StringIO(), shown), None, yes=False).of_plan("m", plan)
    asked = "  + create nodepool for lines: there is none\nMake it? [y/N]\n"
    assert shown.getvalue() == asked
    with pytest.raises(UsageError, match="refusing to make"):
        Approval(Console(io.StringIO(), shown), None, yes=False).of_plan("m", plan)
    Approval(Console(io.StringIO(), shown), None, yes=True).of_plan("m", plan)
