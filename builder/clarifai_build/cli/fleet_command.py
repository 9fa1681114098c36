"""One thing done to every model that a command line names."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from clarifai_build.cancellation import CancelToken
from clarifai_build.cli.console import Console
from clarifai_build.cli.process import collect_young
from clarifai_build.connection import Connection, connect_all
from clarifai_build.deploy import fleet
from clarifai_build.errors import BuilderError
from clarifai_build.progress import ProgressCallback, named

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Results(Generic[Value]):
    """What came of each model, in order, and what went wrong, by the name of the manifest."""

    done: Sequence[tuple[Connection, Value]]
    errors: dict[str, BuilderError]

    def raise_if_alone(self) -> None:
        """Raise the error of a manifest that is the only one: the whole command failed."""
        if not self.done and len(self.errors) == 1:
            raise next(iter(self.errors.values()))

    @property
    def exit_code(self) -> int:
        return fleet.exit_code(list(self.errors.values()))


class Models:
    """The models that a command line names, connected; what goes on is shown on the console.

    `cancel` ends the work on all of them: who is handed one should look at it.
    """

    def __init__(self, names: Sequence[str], args: Namespace, console: Console) -> None:
        self.cancel = CancelToken()
        self.progress = console.progress()
        self.connected = connect_all(names, sandbox=args.sandbox, progress=self.progress)
        self._jobs: int = args.jobs

    def each(self, work: Callable[[Connection, ProgressCallback], Value | None]) -> Results[Value]:
        """Do `work` for each, `--jobs` at a time. Of many, progress says which one it is about.

        A model for which `work` returns None is left out.
        """
        many = len(self.connected.connections) > 1

        def one(connection: Connection) -> Value | None:
            name = connection.manifest.model.id
            try:
                return work(connection, named(name, self.progress) if many else self.progress)
            finally:
                if many:
                    collect_young()

        outcomes = fleet.each(self.connected.connections, one, self._jobs, self.cancel)
        failed = {outcome.item.name: outcome.error for outcome in outcomes if outcome.error}
        done = [(outcome.item, outcome.value) for outcome in outcomes if outcome.value is not None]
        return Results(done, {**self.connected.errors, **failed})
