"""Approval of destructive steps: by a saved plan, by --yes, or by the answer to a question."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clarifai_build.cli.console import Console
from clarifai_build.errors import StalePlanError, UsageError

if TYPE_CHECKING:
    from clarifai_build.deploy.destroy import Deletion
    from clarifai_build.deploy.planning import Plan
    from clarifai_build.deploy.saved_plan import SavedPlan


@dataclass(frozen=True, slots=True)
class Words:
    """What is asked about, and what it is called once done."""

    do: str
    done: str


DESTROY = Words("destroy", "destroyed")
MAKE = Words("make", "made")
"""What costs money, and the manifest does not ask for."""


class Approval:
    """Asks before something is destroyed or costs money, and holds a saved plan to what it says."""

    def __init__(self, console: Console, saved: SavedPlan | None, *, yes: bool) -> None:
        self._console, self._saved, self._yes = console, saved, yes
        self._one_question_at_a_time = threading.Lock()

    @property
    def id(self) -> str:
        """What is recorded with what a saved plan registers; empty without one."""
        return self._saved.id if self._saved else ""

    def of_plan(self, manifest: str, plan: Plan) -> None:
        """Raise unless this plan may be carried out."""
        if self._saved:
            self._saved.check(manifest, plan)
            return
        model = plan.registration.model.id
        if plan.destructive:
            self.ask(
                f"  - destroy version {action.version} of {model}: {action.reason}"
                for action in plan.actions
                if action.destructive
            )
        if plan.costly:
            self.ask(
                (
                    f"  + {action.kind.replace('-', ' ')} for {model}: {action.reason}"
                    for action in plan.actions
                    if action.costly
                ),
                MAKE,
            )

    def of_pruning(self, deletion: Sequence[Deletion]) -> None:
        """Raise unless these models may be destroyed."""
        if self._saved:
            if {one.model: one.versions for one in deletion} != self._saved.prune:
                raise StalePlanError.of(
                    "plan-stale", "other models are to be pruned than when the plan was made"
                )
        elif deletion:
            from clarifai_build.reports.plan import deletion_text

            self.ask(map(deletion_text, deletion))

    def ask(self, what: Iterable[str], words: Words = DESTROY) -> None:
        """Show what would be done, and raise unless that is wanted."""
        # Models are applied on threads, and their questions would mix.
        with self._one_question_at_a_time:
            for text in what:
                for line in text.split("\n"):
                    self._console.err(line)
            if self._yes:
                return
            if not self._console.interactive:
                raise UsageError.of(
                    "not-approved",
                    f"refusing to {words.do} without confirmation: there is no terminal to ask on",
                    hint="review the list, then pass --yes",
                )
            self._console.err(f"{words.do.capitalize()} it? [y/N]")
            if sys.stdin.readline().strip().lower() not in ("y", "yes"):
                raise UsageError.of("not-approved", f"cancelled; nothing was {words.done}")
