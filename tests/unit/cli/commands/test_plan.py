"""`plan`: what apply would do, for people, as JSON and as a file that apply takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clarifai_build.errors import ManifestError, StalePlanError, UsageError
from support.command_line import World, command
from support.light_platform import INFERENCE


def test_nothing_is_done(world: World) -> None:
    """What would be done is told, and the exit code is 0 unless another is asked for."""
    ran = command("plan", world.model())
    assert ran.code == 0
    assert "lines" in ran.out
    assert ran.out.endswith("Plan: 3 to add, 0 to change, 0 to destroy.\n")
    assert world.wrote() == []
    assert (world.bucket.objects, world.registry.model("lines")) == ({}, None)
    assert command("plan", "lines", "--detailed-exitcode").code == 2


def test_with_nothing_to_do_there_are_no_changes(world: World) -> None:
    """Also where the exit code tells changes."""
    command("apply", world.model())
    ran = command("plan", "lines", "--detailed-exitcode")
    assert ran.code == 0
    assert "nothing to do" in ran.out


def test_files_that_change_are_named(world: World) -> None:
    """Where a version is live already."""
    command("apply", world.model())
    world.edit("more")
    (planned,) = command("plan", "lines", "--json").json["models"]
    assert [one["path"] for one in planned["files"]] == ["1/inference.py"]


def test_the_plan_is_told_as_json(world: World) -> None:
    """Each with its actions, and an id that no other plan has."""
    world.model()
    first, second = (command("plan", "lines", "--json").json for _ in range(2))
    (planned,) = first["models"]
    assert planned["manifest"] == str(Path("lines", "clarifai.yaml"))
    assert [action["kind"] for action in planned["actions"]] == [
        "upload",
        "create-model",
        "create-version",
    ]
    assert first["id"] != second["id"]
    assert (first["sandbox"], first["adopt"], first["errors"]) == (False, False, [])


def test_a_saved_plan_is_carried_out(world: World) -> None:
    """What `--out` wrote is what `apply` does, or refuses."""
    world.model()
    ran = command("plan", "lines", "--out", "plan.json", "--json")
    assert json.loads(Path("plan.json").read_text()) == ran.json
    assert command("apply", "plan.json").code == 0
    assert world.registry.versions("lines")[0].recorded.apply == ran.json["id"]


def test_a_plan_that_lies_in_the_folder_does_not_make_itself_stale(world: World) -> None:
    """Nor do older ones there, nor one that is saved over another."""
    world.model()
    command("plan", "lines", "--out", "lines/first.json")
    command("plan", "lines", "--out", "lines/plan.json")
    saved = command("plan", "lines", "--out", "lines/plan.json", "--json").json
    assert command("apply", "lines/plan.json").code == 0
    assert world.registry.versions("lines")[0].recorded.apply == saved["id"]
    assert "nothing to do" in command("plan", "lines").out


def test_a_plan_takes_no_other_files_place(world: World) -> None:
    """A file of the user's stays as it is, and that is said before anything is planned."""
    world.model()
    settings = world.folder / "settings.json"
    settings.write_text('{"threshold": 1}\n')
    with pytest.raises(UsageError) as caught:
        command("plan", "lines", "--out", "settings.json")
    assert [p.code for p in caught.value.problems] == ["output-target"]
    assert settings.read_text() == '{"threshold": 1}\n'


def test_a_saved_plan_of_something_else_is_refused(world: World) -> None:
    """The source changed in between."""
    world.model()
    command("plan", "lines", "--out", "plan.json")
    world.model(code=INFERENCE + "# changed\n")
    with pytest.raises(StalePlanError):
        command("apply", "plan.json")
    assert world.registry.versions("lines") == ()


def test_a_plan_that_can_not_be_written_is_told(world: World) -> None:
    """A folder that is not there, for one."""
    world.model()
    with pytest.raises(UsageError, match="can't be written") as raised:
        command("plan", "lines", "--out", "nowhere/plan.json")
    assert raised.value.problems[0].code == "plan-unwritable"
    with pytest.raises(SystemExit):
        command("plan", "lines", "--out", "plan.yaml")


def test_a_plan_of_some_models_is_not_saved(world: World) -> None:
    """One that can't be planned leaves a plan that says too little; the others are shown."""
    world.model()
    (world.folder / "clarifai.yaml").write_text("nonsense: 1\n")
    ran = command("plan", ".", "lines", "--out", "plan.json")
    assert ran.code == 3
    assert not Path("plan.json").exists()
    assert "plan.json is not written" in ran.err
    assert "nonsense" in ran.err
    assert "lines" in ran.out
    told = command("plan", ".", "lines", "--json")
    assert told.code == 3
    assert [one["manifest"] for one in told.json["errors"]] == ["clarifai.yaml"]
    assert len(told.json["models"]) == 1


def test_the_only_manifest_that_does_not_load_is_the_error(world: World) -> None:
    """It comes out as it is."""
    (world.folder / "clarifai.yaml").write_text("nonsense: 1\n")
    with pytest.raises(ManifestError, match="nonsense"):
        command("plan")


def test_models_that_no_manifest_names_are_pruned(world: World) -> None:
    """Only those of the project, and only where that is asked for."""
    command("apply", world.model("old", project="p"))
    command("apply", world.model("foreign", project="q"))
    command("apply", world.model("new", project="p"))
    assert command("plan", "new", "--json").json["prune"] == []
    ran = command("plan", "new", "--prune", "--json", "--detailed-exitcode")
    assert ran.code == 2
    assert [one["model"] for one in ran.json["prune"]] == ["old"]
    assert command("plan", "new", "--prune").out.endswith("1 to destroy.\n")
    both = command("plan", "new", "old", "--prune", "--json", "--detailed-exitcode")
    assert (both.code, both.json["prune"]) == (0, [])
    command("apply", "new", "--prune", "--yes")
    assert {model.id for model in world.registry.models()} == {"new", "foreign"}


def test_nothing_is_pruned_where_that_is_not_certain(world: World) -> None:
    """A manifest that does not load may name what would go; without a project nothing is said."""
    world.model("new", project="p")
    (world.folder / "odd").mkdir()
    (world.folder / "odd" / "clarifai.yaml").write_text("nonsense: 1\n")
    with pytest.raises(UsageError) as unsure:
        command("plan", "new", "odd", "--prune")
    assert unsure.value.problems[0].code == "prune-unsure"
    world.model("alone")
    with pytest.raises(UsageError) as unnamed:
        command("plan", "alone", "--prune")
    assert unnamed.value.problems[0].code == "prune-project"


def test_a_plan_says_whether_it_adopts(world: World) -> None:
    """A saved plan is carried out as it was made."""
    world.model()
    assert command("plan", "lines", "--adopt", "--json").json["adopt"] is True


def test_two_manifests_of_one_model_are_refused(world: World) -> None:
    """They would undo each other's work for ever."""
    world.model("a").rename(world.folder / "a" / "one.clarifai.yaml")
    text = (world.folder / "a" / "one.clarifai.yaml").read_text()
    (world.folder / "a" / "two.clarifai.yaml").write_text(text)
    ran = command("plan", "a")
    assert ran.code == 3
    assert "is also the model of" in ran.err
