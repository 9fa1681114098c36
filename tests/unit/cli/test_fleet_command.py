"""One thing done to every model that a command line names."""

from __future__ import annotations

import gc
import io
import weakref
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from clarifai_build import pipeline
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.cli.console import Console
from clarifai_build.cli.fleet_command import Models, Results
from clarifai_build.connection import Connection
from clarifai_build.errors import BuilderError, RegistryError, StorageError
from clarifai_build.progress import Event, ProgressCallback
from support.command_line import World, command
from support.connections import environ_of, model_in

ARGS = Namespace(sandbox=False, jobs=2)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for models, and an account in the environment."""
    for name, value in environ_of(tmp_path).items():
        monkeypatch.setenv(name, value)
    return tmp_path / "models"


def connected(folder: Path, *names: str) -> tuple[Models, io.StringIO]:
    """Connect models of these names, and return what is written to stderr, too."""
    for name in names:
        model_in(folder, name)
    stderr = io.StringIO()
    return Models([str(folder)], ARGS, Console(io.StringIO(), stderr)), stderr


def tell(connection: Connection, progress: ProgressCallback) -> str:
    """Say something, and return the model's id."""
    progress(Event("work", "done", "is done"))
    return connection.manifest.model.id


def test_results_come_in_the_order_of_the_manifests(folder: Path) -> None:
    """Each with its connection; of many, progress says which one it is about."""
    models, stderr = connected(folder, "b", "a")
    results = models.each(tell)
    assert [(Path(one.name).parent.name, value) for one, value in results.done] == [
        ("a", "a"),
        ("b", "b"),
    ]
    assert results.exit_code == 0
    told = sorted(line.partition("] ")[2] for line in stderr.getvalue().splitlines())
    assert told == ["a work: is done", "b work: is done"]


class Pieces(io.StringIO):
    """A stream that keeps what is written to it piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def write(self, text: str) -> int:
        """Take one piece; an empty one is none."""
        self.pieces += [text] if text else []
        return len(text)


def test_lines_of_many_models_are_not_mixed() -> None:
    """Each is written at once, so that what another thread writes comes before or after it."""
    stderr = Pieces()
    Console(io.StringIO(), stderr).err("one line")
    assert stderr.pieces == ["one line\n"]


def test_of_one_model_progress_bears_no_name(folder: Path) -> None:
    """There is nothing to tell apart."""
    models, stderr = connected(folder, "a")
    assert [value for _, value in models.each(tell).done] == ["a"]
    assert stderr.getvalue().endswith("] work: is done\n")


def test_one_that_is_left_out_is_neither_done_nor_failed(folder: Path) -> None:
    """What `work` has nothing to say of is not shown."""
    models, _ = connected(folder, "a", "b")
    results = models.each(lambda one, _: one.manifest.model.id == "b" or None)
    assert [one.manifest.model.id for one, _ in results.done] == ["b"]
    assert results.errors == {}


def test_what_does_not_load_and_what_fails_are_errors(folder: Path) -> None:
    """By the names of their manifests; the others are done."""
    (folder / "broken").mkdir(parents=True)
    (folder / "broken" / "clarifai.yaml").write_text("model: {}\n")

    def fail(connection: Connection, _progress: ProgressCallback) -> int:
        if connection.manifest.model.id == "b":
            raise StorageError.of("store-failed", "no")
        return 0

    models, _ = connected(folder, "a", "b")
    results = models.each(fail)
    assert [(one.manifest.model.id, value) for one, value in results.done] == [("a", 0)]
    failed = {Path(name).parent.name: error.exit_code for name, error in results.errors.items()}
    assert failed == {"broken": 3, "b": 5}
    assert results.exit_code == 1


ERROR = RegistryError.of("api-refused", "no")


@pytest.mark.parametrize("errors", [{}, {"a": ERROR, "b": ERROR}])
def test_no_error_or_several_are_shown_with_the_rest(errors: dict[str, BuilderError]) -> None:
    """Nothing is raised: a table says what came of each."""
    Results([], errors).raise_if_alone()
    assert Results([], errors).exit_code == (5 if errors else 0)


def test_the_error_of_the_only_manifest_is_the_commands(folder: Path) -> None:
    """It is raised as it is; beside another one that is done, it is not."""
    with pytest.raises(RegistryError, match="no"):
        Results([], {"a": ERROR}).raise_if_alone()
    models, _ = connected(folder, "a")
    Results(models.each(tell).done, {"b": ERROR}).raise_if_alone()


@pytest.mark.parametrize("name", ["plan", "status", "apply"])
def test_artifacts_are_let_go_one_by_one(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """None of those before is alive when the next is made, or the result is shown."""
    for model in ("a", "b", "c"):
        world.model(model)
    made: list[weakref.ref[Artifact]] = []
    alive: list[int] = []
    really = pipeline.build

    def build(*arguments: Any, **options: Any) -> Artifact:
        alive.append(sum(one() is not None for one in made))
        artifact = really(*arguments, **options)
        made.append(weakref.ref(artifact))
        return artifact

    monkeypatch.setattr(pipeline, "build", build)
    assert command(name, ".", "--jobs", "1").code == 0
    assert alive == [0, 0, 0]
    assert [one() for one in made] == [None] * 3


def test_of_a_fleet_nothing_piles_up(folder: Path) -> None:
    """What refers to itself is collected after each model, however seldom Python looks for it."""

    class Circle:
        """Something that libraries leave behind."""

        def __init__(self) -> None:
            self.itself = self

    left: list[weakref.ref[Circle]] = []
    alive: list[int] = []

    def leave(_connection: Connection, _progress: ProgressCallback) -> int:
        alive.append(sum(one() is not None for one in left))
        left.append(weakref.ref(Circle()))
        return 0

    for name in ("a", "b", "c"):
        model_in(folder, name)
    args = Namespace(sandbox=False, jobs=1)
    models = Models([str(folder)], args, Console(io.StringIO(), io.StringIO()))
    gc.disable()
    try:
        models.each(leave)
    finally:
        gc.enable()
    assert alive == [0, 0, 0]
