"""A manifest that is merely not seen is named, and its live model is not destroyed for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clarifai_build.errors import UsageError
from support import clones
from support.command_line import World, command, ended

Hide = Callable[[Path], None]


@pytest.fixture
def project(world: World) -> World:
    """Two live models of one project, in a repository."""
    for model in ("kept", "old"):
        world.model(model, project="p")
    clones.commit(world.folder, {})
    command("apply", ".")
    return world


def renamed(to: str) -> Hide:
    """Return what moves a model's manifest; `to` is a path beside its folder."""

    def hide(folder: Path) -> None:
        target = folder.parent / to
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / "clarifai.yaml").rename(target)

    return hide


def linked(folder: Path) -> None:
    """Let a link lead to the model's folder."""
    elsewhere = folder.parent.parent / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)


def linked_to_nothing(folder: Path) -> None:
    """Let a link lead to where the folder is no more."""
    linked(folder)
    (folder.parent.parent / "elsewhere").rename(folder.parent.parent / "gone")


def emptied(folder: Path) -> None:
    """Let a file be cut off, under the other name."""
    (folder / "clarifai.yaml").unlink()
    (folder / "clarifai.yml").write_text("")


def of_a_pipe(folder: Path) -> None:
    """Let something that never ends have the name."""
    import os

    (folder / "clarifai.yaml").unlink()
    os.mkfifo(folder / "clarifai.yml")


def sparse(folder: Path) -> None:
    """Check out the other model alone."""
    clones.git(folder.parent, "sparse-checkout", "set", "kept")


def removed_by_hand(folder: Path) -> None:
    """Remove the file, and not from Git."""
    (folder / "clarifai.yaml").unlink()


def submodule(folder: Path) -> None:
    """Let the model be a submodule, in a clone that has it not."""
    origin = folder.parent.parent / "origin"
    folder.rename(origin)
    clones.commit(origin, {})
    clones.git(folder.parent, "rm", "-rq", "--cached", "old")
    clones.git(folder.parent, "submodule", "add", "-q", str(origin), "old")
    clones.commit(folder.parent, {})
    clones.git(folder.parent, "submodule", "--quiet", "deinit", "-f", "old")


HIDDEN = {
    "yml": (renamed("old/clarifai.yml"), "old/clarifai.yml"),
    "named yml": (renamed("old/prod.clarifai.yml"), "old/prod.clarifai.yml"),
    "upper case": (renamed("old/Clarifai.YAML"), "old/Clarifai.YAML"),
    "json": (renamed("old/clarifai.json"), "old/clarifai.json"),
    "named json": (renamed("old/prod.clarifai.json"), "old/prod.clarifai.json"),
    "no ending": (renamed("old/clarifai"), "old/clarifai"),
    "backup": (renamed("old/clarifai.yaml.bak"), "old/clarifai.yaml.bak"),
    "dash": (renamed("old/clarifai-prod.yaml"), "old/clarifai-prod.yaml"),
    "other name": (renamed("old/prod.yaml"), "old/prod.yaml"),
    "build": (renamed("build/old/clarifai.yaml"), "build/old/clarifai.yaml"),
    "dist": (renamed("a/dist/clarifai.yaml"), "a/dist/clarifai.yaml"),
    "venv": (renamed("venv/clarifai.yaml"), "venv/clarifai.yaml"),
    "node_modules": (renamed("node_modules/clarifai.yaml"), "node_modules/clarifai.yaml"),
    "hidden": (renamed(".models/old/clarifai.yaml"), ".models/old/clarifai.yaml"),
    "yml in build": (renamed("build/clarifai.yml"), "build/clarifai.yml"),
    "link": (linked, "old/clarifai.yaml"),
    "link to nothing": (linked_to_nothing, "old"),
    "empty": (emptied, "old/clarifai.yml"),
    "pipe": (of_a_pipe, "old/clarifai.yml"),
    "sparse": (sparse, "old/clarifai.yaml"),
    "removed": (removed_by_hand, "old/clarifai.yaml"),
    "submodule": (submodule, "old"),
}


@pytest.mark.parametrize("way", HIDDEN)
def test_what_is_not_seen_is_named_and_stops_a_prune(project: World, way: str) -> None:
    """By every command that searches a folder; the model stays as it is."""
    hide, file = HIDDEN[way]
    hide(project.folder / "old")
    if hide is not removed_by_hand:
        clones.commit(project.folder, {})
    checked = command("validate", ".", "-o", "json")
    (told,) = [one for one in checked.json["problems"] if one["code"] == "manifest-passed-over"]
    assert (told["file"], told["severity"], checked.code) == (file, "warning", 0)
    assert [one["file"] for one in command("status", ".", "-o", "json").json["warnings"]] == [file]
    assert "manifest-passed-over" in command("plan", ".").err
    project.forget()
    for name, *options in (("plan",), ("apply", "--yes")):
        stopped = ended(name, ".", "--prune", *options)
        assert stopped.code == UsageError.exit_code
        assert "prune-unsure" in stopped.err
        assert f"{file}: error[manifest-passed-over]" in stopped.err
    assert project.wrote() == []
    assert {model.id for model in project.registry.models()} == {"kept", "old"}


def test_a_manifest_that_is_gone_for_good_lets_its_model_go(project: World) -> None:
    """Removed from Git, too."""
    clones.git(project.folder, "rm", "-rq", "old")
    assert command("apply", ".", "--prune", "--yes", "--json").json["pruned"] == ["old"]


def test_the_rest_of_the_repository_is_asked_before_a_prune(project: World) -> None:
    """A manifest that was not given may name what would go, checked out or not."""
    refused = ended("apply", "kept", "--prune", "--yes")
    assert "names model 'old'" in refused.err
    assert refused.code == UsageError.exit_code
    sparse(project.folder / "old")
    assert "old/clarifai.yaml" in ended("apply", "kept", "--prune", "--yes").err
    assert {model.id for model in project.registry.models()} == {"kept", "old"}
    clones.git(project.folder, "rm", "-rq", "--sparse", "old")
    assert command("apply", "kept", "--prune", "--yes", "--json").json["pruned"] == ["old"]


@pytest.mark.parametrize("given", [".", "kept"])
@pytest.mark.parametrize("written", ["${env:STAGE:-new}", "o${env:STAGE}", "${env:A}l${env:B:-x}"])
def test_an_id_of_another_environment_is_not_pruned(
    project: World, monkeypatch: pytest.MonkeyPatch, written: str, given: str
) -> None:
    """The manifest was applied with one value, and is met with another, or is not given."""
    monkeypatch.setenv("STAGE", "staging")
    monkeypatch.setenv("A", "a")
    file = project.folder / "old" / "clarifai.yaml"
    text = file.read_text()
    assert "old" in text
    file.write_text(text.replace("id: old", f'id: "{written}"'))
    clones.commit(project.folder, {})
    refused = ended("apply", given, "--prune", "--yes")
    assert refused.code == UsageError.exit_code
    assert "name model 'old'" in refused.err or "names model 'old'" in refused.err
    assert {model.id for model in project.registry.models()} == {"kept", "old"}


def test_an_id_that_could_be_no_other_lets_a_model_go(project: World) -> None:
    """What varies in it leads elsewhere."""
    clones.git(project.folder, "rm", "-rq", "old")
    file = project.folder / "kept" / "clarifai.yaml"
    file.write_text(file.read_text().replace("id: kept", 'id: "${env:NOTHING:-k}ept"'))
    assert command("apply", ".", "--prune", "--yes", "--json").json["pruned"] == ["old"]


def test_a_saved_plan_prunes_no_model_that_a_manifest_names_since(project: World) -> None:
    """It came back after the plan was made."""
    text = (project.folder / "old" / "clarifai.yaml").read_text()
    clones.git(project.folder, "rm", "-rq", "old")
    command("plan", ".", "--prune", "--out", "plan.json")
    (project.folder / "new.yaml").write_text(text)
    refused = ended("apply", "plan.json")
    assert "names model 'old'" in refused.err
    assert {model.id for model in project.registry.models()} == {"kept", "old"}


def test_where_git_does_not_answer_nothing_is_pruned(
    project: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not checked out is not known then; anything else goes on."""
    clones.git(project.folder, "rm", "-rq", "old")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    stopped = ended("apply", ".", "--prune", "--yes")
    assert "git-refuses" in stopped.err
    assert {model.id for model in project.registry.models()} == {"kept", "old"}
    assert command("apply", ".").code == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("kept/clarifai.json", '{"clarifai": {"pat": ""}}\n'),
        ("kept/clarifai", "#!/bin/sh\nexec python -m clarifai\n"),
        ("clarifai.yaml.example", "model: {id: x, type: text-to-text}\n"),
        ("kept/clarifai.yaml~", "model: {id: kept, type: text-to-text}\n"),
        (".github/workflows/clarifai.yml", "on: push\njobs: {}\n"),
        ("deploy-clarifai.yaml", "name: deploy\non: push\n"),
        ("kept/config.yaml", "model: {id: x, model_type_id: text-to-text}\n"),
        ("kept/values.yaml", "model: x\nid: y\ntype: z\n"),
        (".venv/lib/clarifai.yaml", "model: {id: x, type: text-to-text}\n"),
        ("schema/clarifai.schema.json", "{}"),
    ],
)
def test_what_is_no_manifest_is_not_named(world: World, name: str, text: str) -> None:
    """Samples, copies, workflows, the files of other tools, installed packages."""
    world.model("kept")
    file = world.folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    (world.folder / ".venv").mkdir(exist_ok=True)
    (world.folder / ".venv" / "pyvenv.cfg").write_text("")
    file.write_text(text)
    assert command("validate", ".").err == "1 manifest: no problems\n"


def test_a_folder_with_nothing_but_a_misnamed_manifest_says_so(world: World) -> None:
    """In place of `init`."""
    world.model("kept").rename(world.folder / "kept" / "clarifai.yml")
    told = ended("validate", ".")
    assert "no clarifai.yaml at" in told.err
    assert "kept/clarifai.yml" in told.err


def test_a_manifest_that_is_given_by_name_is_seen(project: World) -> None:
    """Whatever it is called."""
    renamed("old/prod.yaml")(project.folder / "old")
    clones.commit(project.folder, {})
    ran = command("apply", ".", "old/prod.yaml", "--prune", "--yes", "--json")
    assert (ran.json["pruned"], ran.json.get("warnings")) == ([], None)


def test_links_are_followed_no_further_than_to_a_model(world: World, tmp_path: Path) -> None:
    """They may lead to the data of a whole machine, or in a circle."""
    world.model("kept")
    deep = tmp_path / "data" / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "clarifai.yaml").write_text("")
    (world.folder / "data").symlink_to(tmp_path / "data")
    (world.folder / "circle").symlink_to(world.folder)
    assert command("validate", ".").err == "1 manifest: no problems\n"
    (deep.parent / "clarifai.yaml").write_text("")
    assert "data/a/clarifai.yaml" in command("validate", ".").out
