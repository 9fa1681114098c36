"""Saved plans: what counts as moved, and what is no plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from clarifai_build.deploy import saved_plan
from clarifai_build.deploy.destroy import Deletion
from clarifai_build.deploy.planning import Observed, Plan, make_plan
from clarifai_build.deploy.registration import ARTIFACT_DIGEST, Registration
from clarifai_build.deploy.saved_plan import SavedPlan, state_of
from clarifai_build.errors import StalePlanError, UsageError
from clarifai_build.pipeline import ApplyOptions, apply, plan
from clarifai_build.registry import NewModel, NewVersion, RemoteModel, RemoteVersion
from clarifai_build.registry.version_metadata import NO_METADATA, VersionMetadata
from clarifai_build.reports.plan import Planned, as_json
from clarifai_build.resources import plan_schema_text
from clarifai_build.storage import StoredObject
from support.fakes import (
    BUILT,
    MemoryRegistry,
    MemoryStore,
    artifact_of,
    manifest_of,
    public_bucket,
)

WANTED = Registration(
    NewModel("lines", "text-to-text", "Reads.", "private"), {}, {}, (), "a" * 64, 100
)
MODEL = RemoteModel("lines", "text-to-text", "Reads.", "private", managed=True)
METADATA = WANTED.new_version("http://zip", VersionMetadata()).metadata
READY = RemoteVersion("v1", 21100, "Trained", description="Reads.", metadata=METADATA)
STORED = StoredObject("key", 100, "etag", {ARTIFACT_DIGEST: WANTED.artifact_digest})
SEEN = Observed(MODEL, (READY,), STORED)
ARTIFACT = artifact_of(BUILT)
FOREIGN = NewVersion("http://theirs", {}, {}, (), "", "private", NO_METADATA)


def plan_of(observed: Observed = SEEN, wanted: Registration = WANTED) -> Plan:
    """Plan the one model."""
    return make_plan(wanted, observed, adopt=True)


def document_of(planned: Plan, **rest: Any) -> Any:
    """Return what `plan --out` writes."""
    one = Planned("clarifai.yaml", planned, (), saved_plan.state_of(planned))
    options = {"id": "p1", "sandbox": False, "adopt": False, **rest}
    return as_json([one], [Deletion("old", ("v2", "v1"), whole=True)], **options)


@pytest.mark.parametrize(
    "moved",
    [
        plan_of(wanted=replace(WANTED, artifact_digest="b" * 64)),
        plan_of(wanted=replace(WANTED, model=replace(WANTED.model, description="New."))),
        plan_of(wanted=replace(WANTED, model=replace(WANTED.model, visibility="org"))),
        plan_of(wanted=replace(WANTED, project="ocr")),
        plan_of(replace(SEEN, model=None)),
        plan_of(replace(SEEN, model=replace(MODEL, description="By hand."))),
        plan_of(replace(SEEN, model=replace(MODEL, visibility="org"))),
        plan_of(replace(SEEN, model=replace(MODEL, managed=False))),
        plan_of(replace(SEEN, versions=())),
        plan_of(replace(SEEN, versions=(replace(READY, id="v2"),))),
        plan_of(replace(SEEN, versions=(replace(READY, status_code=21108),))),
        plan_of(replace(SEEN, versions=(replace(READY, description="By hand."),))),
        plan_of(replace(SEEN, versions=(replace(READY, visibility="org"),))),
        plan_of(replace(SEEN, versions=(RemoteVersion("v2", 21100, ""), READY))),
        plan_of(replace(SEEN, stored=None)),
        plan_of(replace(SEEN, stored=replace(STORED, size=99))),
        plan_of(replace(SEEN, stored=replace(STORED, etag="other"))),
    ],
)
def test_whatever_moves_is_noticed(moved: Plan) -> None:
    """In the manifest, on the platform or in the bucket, one thing at a time."""
    assert saved_plan.state_of(moved) != saved_plan.state_of(plan_of())


def test_another_project_is_noticed_before_there_is_a_version() -> None:
    """Its steps are the same, and what it makes would be pruned with other models."""
    first = replace(SEEN, versions=())
    other = plan_of(first, replace(WANTED, project="ocr"))
    assert saved_plan.state_of(other) != saved_plan.state_of(plan_of(first))


def test_what_did_not_move_is_the_same() -> None:
    """Neither the words of a status nor what a store tells in passing count."""
    words = replace(READY, status="Ready", request_id="r", created_at=5.0)
    other = replace(SEEN, versions=(words,), stored=replace(STORED, crc32="0000abcd"))
    assert saved_plan.state_of(plan_of(other)) == saved_plan.state_of(plan_of())


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    """With how it was made and what it prunes."""
    file = tmp_path / "plan.json"
    planned = plan_of()
    for options in ({}, {"sandbox": True}, {"adopt": True}):
        file.write_text(json.dumps(document_of(planned, **options)))
        assert saved_plan.load(file) == saved_plan.SavedPlan(
            file,
            "p1",
            sandbox="sandbox" in options,
            adopt="adopt" in options,
            prune={"old": ("v2", "v1")},
            states={"clarifai.yaml": saved_plan.state_of(planned)},
        )


def test_it_is_applied_once_and_only_while_nothing_moved(tmp_path: Path) -> None:
    """That it was applied is said first: then everything has moved, of course."""
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(document_of(plan_of())))
    kept = saved_plan.load(file)
    kept.check("clarifai.yaml", plan_of())
    with pytest.raises(StalePlanError, match="have changed") as moved:
        kept.check("clarifai.yaml", plan_of(replace(SEEN, stored=None)))
    assert moved.value.problems[0].code == "plan-stale"
    applied = replace(READY, id="v2", metadata=replace(METADATA, apply="p1"))
    with pytest.raises(StalePlanError, match="applied before") as again:
        kept.check("clarifai.yaml", plan_of(replace(SEEN, versions=(applied, READY))))
    assert again.value.problems[0].code == "plan-applied"


CHANGES: dict[str, Callable[[Any], Any]] = {
    "major": lambda plan: {**plan, "format_version": "2.0"},
    "no version": lambda plan: {k: v for k, v in plan.items() if k != "format_version"},
    "number": lambda plan: {**plan, "format_version": 1},
    "no id": lambda plan: {k: v for k, v in plan.items() if k != "id"},
    "no states": lambda plan: {**plan, "models": [{"manifest": "clarifai.yaml"}]},
    "no plan": lambda plan: [plan],
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_no_plan_of_this_form_is_refused(tmp_path: Path, change: str) -> None:
    """A form to come is told from a file that is something else."""
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(CHANGES[change](document_of(plan_of()))))
    with pytest.raises(UsageError) as raised:
        saved_plan.load(file)
    expected = "plan-version" if change == "major" else "plan-unreadable"
    assert raised.value.problems[0].code == expected


def test_a_newer_minor_form_is_read(tmp_path: Path) -> None:
    """It only adds to what is known."""
    file = tmp_path / "plan.json"
    document = document_of(plan_of())
    assert document["format_version"].startswith(f"{saved_plan.MAJOR}.")
    file.write_text(json.dumps({**document, "format_version": "1.99"}))
    assert saved_plan.load(file).id == "p1"


def test_why_a_file_can_not_be_read_is_said(tmp_path: Path) -> None:
    """A file that is not there, and one that is no JSON."""
    with pytest.raises(UsageError, match="can't be read: No such file"):
        saved_plan.load(tmp_path / "none.json")
    file = tmp_path / "plan.json"
    file.write_text("{")
    with pytest.raises(UsageError, match=r"is not a plan .*: Expecting property name"):
        saved_plan.load(file)


def plan_now(registry: MemoryRegistry, store: MemoryStore, **model: Any) -> Plan:
    """Plan the one model as the platform and the bucket have it."""
    return plan(manifest_of(**model), ARTIFACT, store, registry)


def saved(tmp_path: Path, planned: Plan) -> SavedPlan:
    """Save a plan, check what was saved against the schema, and load it."""
    one = Planned("clarifai.yaml", planned, (), state_of(planned))
    document = as_json([one], [Deletion("old", ("v1",), True)], id="p1", sandbox=False, adopt=False)
    Draft7Validator(json.loads(plan_schema_text())).validate(document)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(document))
    return saved_plan.load(file)


def test_saved_plan_is_applied_once(tmp_path: Path) -> None:
    """As long as nothing moved it may be applied, and never a second time."""
    registry = MemoryRegistry()
    with public_bucket(MemoryStore()) as store:
        kept = saved(tmp_path, plan_now(registry, store))
        assert kept.prune == {"old": ("v1",)}
        kept.check("clarifai.yaml", plan_now(registry, store))
        way = ApplyOptions(approve=lambda now: kept.check("clarifai.yaml", now), id=kept.id)
        apply(manifest_of(), ARTIFACT, store, registry, way)
        with pytest.raises(StalePlanError, match="applied before"):
            apply(manifest_of(), ARTIFACT, store, registry, way)


@pytest.mark.parametrize("moved", ["manifest", "model", "version", "object"])
def test_saved_plan_is_stale_when_anything_moved(tmp_path: Path, moved: str) -> None:
    """The manifest, the model, its versions and the object all count."""
    registry = MemoryRegistry()
    with public_bucket(MemoryStore()) as store:
        apply(manifest_of(), ARTIFACT, store, registry)
        kept = saved(tmp_path, plan_now(registry, store))
        kept.check("clarifai.yaml", plan_now(registry, store))
        if moved == "model":
            registry.update_model(NewModel("lines", "text-to-text", "by hand", "private"))
        elif moved == "version":
            registry.post(
                "lines", replace(WANTED.new_version("", NO_METADATA), metadata=NO_METADATA)
            )
        elif moved == "object":
            store.objects.clear()
        now = plan_now(registry, store, description="new" if moved == "manifest" else "")
        with pytest.raises(StalePlanError, match="have changed"):
            kept.check("clarifai.yaml", now)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"models": 1}', '{"format_version": "2.0"}'])
def test_other_files_are_no_plans(tmp_path: Path, text: str) -> None:
    """What `plan --out` did not write is refused, not half understood."""
    file = tmp_path / "plan.json"
    file.write_text(text)
    with pytest.raises(UsageError):
        saved_plan.load(file)
    with pytest.raises(UsageError, match="can't be read"):
        saved_plan.load(tmp_path / "none.json")
