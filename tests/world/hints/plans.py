"""Ways out around plans, locks, and what would be destroyed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from clarifai_build.provenance import requirements
from clarifai_build.util.canonical_json import json_sha256
from support.command_line import World, ended
from support.following import fine, live, told, warned
from world.hints.platform import Following

PLAN = "../plan.json"


def planned(world: World) -> None:
    """Make a model, and a plan of its first apply."""
    world.model(at=".")
    assert ended("plan", "--out", PLAN).code == 0


def made_anew() -> None:
    """Follow `make a new plan`."""
    assert ended("plan", "--out", PLAN).code == 0
    fine("apply", PLAN)
    fine("verify")


def plan_stale(world: World, _variables: pytest.MonkeyPatch) -> None:
    """A new plan is of what there is now."""
    planned(world)
    (world.folder / "more.py").write_text("")
    told("plan-stale", "apply", PLAN)
    made_anew()


def plan_applied(world: World, _variables: pytest.MonkeyPatch) -> None:
    """A new plan has nothing to do."""
    planned(world)
    fine("apply", PLAN)
    assert "make a new plan" in told("plan-applied", "apply", PLAN)
    made_anew()


def spoilt_plan(code: str, old: str, new: str, word: str) -> Following:
    """Return the way out of a file that is no plan of this version."""

    def follow(world: World, _variables: pytest.MonkeyPatch) -> None:
        planned(world)
        plan = Path(PLAN)
        plan.write_text(plan.read_text().replace(old, new, 1))
        assert word in told(code, "apply", PLAN)
        plan.unlink()
        made_anew()

    return follow


def plan_unwritable(world: World, _variables: pytest.MonkeyPatch) -> None:
    """A path that can be written."""
    world.model(at=".")
    told("plan-unwritable", "plan", "--out", "nowhere/plan.json")
    made_anew()


def not_approved(world: World, _variables: pytest.MonkeyPatch) -> None:
    """The list is reviewed, and `--yes` passed."""
    world.model(at=".")
    live()
    assert "pass --yes" in told("not-approved", "destroy")
    fine("destroy", "--yes")
    assert world.platform.builds.database.model("main", "lines") is None


def prune_project(world: World, _variables: pytest.MonkeyPatch) -> None:
    """With a project, what no manifest names any more goes."""
    old = world.model("old", project="p")
    fine("apply", ".")
    old.unlink()
    manifest = world.model("new")
    told("prune-project", "apply", ".", "--prune", "--yes")
    manifest.write_text(f"project: p\n{manifest.read_text()}")
    fine("apply", ".", "--prune", "--yes")
    assert [one.id for one in world.registry.models()] == ["new"]


def prune_unsure(world: World, _variables: pytest.MonkeyPatch) -> None:
    """The manifest that does not load is fixed; then nothing stops it."""
    world.model("kept", project="p")
    broken = world.model("broken", project="p")
    right = broken.read_text()
    broken.write_text(right.replace("text-to-text", "none"))
    assert "leave --prune out" in told("prune-unsure", "apply", ".", "--prune", "--yes")
    broken.write_text(right)
    fine("apply", ".", "--prune", "--yes")


def passed_over(world: World, _variables: pytest.MonkeyPatch) -> None:
    """It is called as the hint says."""
    manifest = world.model("kept")
    world.model("other")
    misnamed = manifest.with_name("clarifai.yml")
    manifest.rename(misnamed)
    assert "clarifai.yaml" in warned("manifest-passed-over", "validate", ".")
    misnamed.rename(manifest)
    assert "warning" not in ended("validate", ".").out


def storage_missing(world: World, _variables: pytest.MonkeyPatch) -> None:
    """The section is added."""
    manifest = world.model(at=".")
    text = manifest.read_text()
    storage = next(line for line in text.splitlines() if line.startswith("storage:"))
    manifest.write_text(text.replace(f"{storage}\n", ""))
    assert "add 'storage:" in told("storage-missing", "apply")
    manifest.write_text(f"{manifest.read_text()}{storage}\n")
    live()


def usage(world: World, _variables: pytest.MonkeyPatch) -> None:
    """Without the other argument."""
    planned(world)
    assert "without other arguments" in told("usage", "apply", PLAN, "clarifai.yaml")
    fine("apply", PLAN)


def locked_by_another(world: World, _variables: pytest.MonkeyPatch) -> None:
    """`lock` goes on with this version."""
    world.model(at=".")
    fine("lock")
    lock = Path("clarifai.lock")
    data = json.loads(lock.read_text())
    del data["digest"]
    body = {name: value for name, value in data.items() if name != "format"}
    body |= {"tool": "0.0.1", "template_sha256": "0" * 64}
    lock.write_text(json.dumps({**body, "format": 1, "digest": json_sha256(body, spaced=True)}))
    assert "0.0.1" in told("lock-tool", "lock", "--check")
    fine("lock")
    fine("lock", "--check")
    live()


def locked_for_another(code: str, line: str) -> Following:
    """Return the way out of a lock that something moved away from."""

    def follow(world: World, variables: pytest.MonkeyPatch) -> None:
        manifest = world.model(at=".")
        # There is nothing to resolve, and uv would look for that Python for seconds.
        variables.setattr(requirements, "compile_pins", lambda *_: "")
        Path("requirements.txt").write_text("# none\n")
        text = f"{manifest.read_text()}code: {{requirements: requirements.txt, python: '3.10'}}\n"
        manifest.write_text(text)
        fine("lock")
        if line:
            Path("requirements.txt").write_text(line)
        else:
            manifest.write_text(text.replace("3.10", "3.11"))
        assert "clarifai-build lock" in told(code, "lock", "--check")
        fine("lock")
        fine("lock", "--check")
        live()

    return follow


def locked_for_the_other_target(world: World, variables: pytest.MonkeyPatch) -> None:
    """A lock anew, for the target that the manifest has now."""
    manifest = world.model(at=".")
    variables.setattr(requirements, "compile_pins", lambda *_, **__: "")
    Path("requirements.txt").write_text("# none\n")
    text = f"{manifest.read_text()}code: {{requirements: requirements.txt}}\n"
    manifest.write_text(f"target: runner\n{text}")
    fine("lock")
    manifest.write_text(text)
    assert "clarifai-build lock" in told("lock-target", "lock", "--check")
    fine("lock")
    fine("lock", "--check")
    live()


FOLLOWED: Mapping[str, Following] = {
    "lock-python": locked_for_another("lock-python", ""),
    "lock-requirements": locked_for_another("lock-requirements", "# none at all\n"),
    "lock-target": locked_for_the_other_target,
    "lock-tool": locked_by_another,
    "manifest-passed-over": passed_over,
    "not-approved": not_approved,
    "plan-applied": plan_applied,
    "plan-stale": plan_stale,
    "plan-unreadable": spoilt_plan("plan-unreadable", "{", "[", "make a new plan"),
    "plan-unwritable": plan_unwritable,
    "plan-version": spoilt_plan(
        "plan-version", '"format_version": "', '"format_version": "9', "make a new plan"
    ),
    "prune-project": prune_project,
    "prune-unsure": prune_unsure,
    "storage-missing": storage_missing,
    "usage": usage,
}
