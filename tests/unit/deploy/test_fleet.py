"""Many models at once, saved plans, pruning and status: in memory."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from clarifai_build.artifact.zip_reader import read_listing
from clarifai_build.deploy import fleet, saved_plan, versions
from clarifai_build.deploy import status as sync
from clarifai_build.deploy.destroy import Deletion, destroy, destroy_leased, find_orphans
from clarifai_build.deploy.planning import Plan
from clarifai_build.deploy.rollback import RollbackContext, roll_back
from clarifai_build.deploy.saved_plan import SavedPlan, state_of
from clarifai_build.errors import (
    LeaseHeldError,
    RegistryError,
    StalePlanError,
    StorageError,
    UsageError,
)
from clarifai_build.inspection.file_changes import compare
from clarifai_build.pipeline import ApplyOptions, apply, plan
from clarifai_build.progress import no_progress
from clarifai_build.registry import NewModel, NewVersion, RemoteVersion
from clarifai_build.registry.version_metadata import NO_METADATA, VersionMetadata
from clarifai_build.reports import plan as plan_report
from clarifai_build.reports.plan import Planned, plans_text
from clarifai_build.resources import plan_schema_text
from clarifai_build.storage import leases
from support.fakes import (
    BUILT,
    Calls,
    MemoryRegistry,
    MemoryStore,
    artifact_of,
    manifest_of,
    public_bucket,
)

ARTIFACT = artifact_of(BUILT)
FOREIGN = NewVersion("http://theirs", {}, {}, (), "", "private", NO_METADATA)


def test_one_failure_stops_nobody() -> None:
    """Results come in order, an error among them; work runs at the same time."""
    together = threading.Barrier(2, timeout=10)

    def work(item: int) -> int:
        if item < 2:
            together.wait()
        if item == 2:
            raise StorageError.of("store-failed", "no")
        return item * 10

    outcomes = fleet.each([0, 1, 2, 3], work, jobs=2, stop=fleet.Stop())
    assert [outcome.value for outcome in outcomes] == [0, 10, None, 30]
    assert outcomes[2].error is not None


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_bug_that_one_meets_stops_nobody(jobs: int) -> None:
    """It is a problem of that item alone; the traceback is kept in a file."""
    outcomes = fleet.each([0, 1, 2], lambda item: 10 // (1 - item), jobs, fleet.Stop())
    assert [outcome.value for outcome in outcomes] == [10, None, -10]
    error = fleet.failure(lambda item: 1 // item, 0)
    for bug in (outcomes[1].error, error):
        assert bug is not None
        assert (bug.problems[0].code, bug.exit_code) == ("internal-error", 70)
        log = Path(str(bug.problems[0].hint).split()[4].rstrip(";"))
        assert "ZeroDivisionError" in log.read_text(encoding="utf-8")
        log.unlink()


def test_exit_code_of_many() -> None:
    """The common one, or 1 where they differ."""
    storage, registry = StorageError.of("a", ""), RegistryError.of("b", "")
    usage = UsageError.of("c", "")
    assert fleet.exit_code([]) == 0
    assert fleet.exit_code([storage, registry]) == 5
    assert fleet.exit_code([storage, usage]) == 1


def test_interrupt_reaches_the_others() -> None:
    """When one is interrupted, the others end at the next thing they tell or sleep for."""
    stop = fleet.Stop()
    ended = threading.Event()
    together = threading.Barrier(2, timeout=10)

    def work(item: int) -> None:
        together.wait()
        if item == 0:
            raise KeyboardInterrupt
        try:
            stop.sleep(30)
        except KeyboardInterrupt:
            ended.set()
            raise

    with pytest.raises(KeyboardInterrupt):
        fleet.each([0, 1], work, jobs=2, stop=stop)
    assert ended.wait(10)
    with pytest.raises(KeyboardInterrupt):
        stop.cancellable(no_progress)(Any)  # type: ignore[arg-type]  # not looked at any more


def test_one_that_is_stuck_keeps_nobody_waiting() -> None:
    """After an interrupt, one that neither tells nor sleeps is left to end with the process."""
    go_on = threading.Event()
    together = threading.Barrier(2, timeout=10)

    def work(item: int) -> None:
        together.wait()
        if item == 0:
            raise KeyboardInterrupt
        go_on.wait(30)

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fleet.each([0, 1], work, jobs=2, stop=fleet.Stop())
    assert time.monotonic() - start < 5
    go_on.set()


def test_file_changes_are_named_largest_first() -> None:
    """Added, removed and changed files, by content and mode; what is the same is left out."""
    before = artifact_of({"same": b"s", "changed": b"12", "removed": b"123"})
    listing = read_listing(before.read, before.size)
    after = artifact_of({"same": b"s", "changed": b"21", "added": b"1234"})
    assert [(c.change, c.path, c.before, c.after) for c in compare(listing, after.tree)] == [
        ("added", "added", None, 4),
        ("removed", "removed", 3, None),
        ("changed", "changed", 2, 2),
    ]
    assert compare(listing, before.tree) == ()


def plan_of(registry: MemoryRegistry, store: MemoryStore, **model: Any) -> Plan:
    """Plan the one model."""
    return plan(manifest_of(**model), ARTIFACT, store, registry)


def saved(tmp_path: Path, planned: Plan) -> SavedPlan:
    """Save a plan, check what was saved against the schema, and load it."""
    one = Planned("clarifai.yaml", planned, (), state_of(planned))
    document = plan_report.as_json(
        [one], [Deletion("old", ("v1",), True)], id="p1", sandbox=False, adopt=False
    )
    Draft7Validator(json.loads(plan_schema_text())).validate(document)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(document))
    return saved_plan.load(file)


def test_saved_plan_is_applied_once(tmp_path: Path) -> None:
    """As long as nothing moved it may be applied, and never a second time."""
    registry = MemoryRegistry()
    with public_bucket(MemoryStore()) as store:
        kept = saved(tmp_path, plan_of(registry, store))
        assert kept.prune == {"old": ("v1",)}
        kept.check("clarifai.yaml", plan_of(registry, store))
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
        kept = saved(tmp_path, plan_of(registry, store))
        kept.check("clarifai.yaml", plan_of(registry, store))
        if moved == "model":
            registry.update_model(NewModel("lines", "text-to-text", "by hand", "private"))
        elif moved == "version":
            registry.post("lines", FOREIGN)
        elif moved == "object":
            store.objects.clear()
        now = plan_of(registry, store, description="new" if moved == "manifest" else "")
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


def project_of(registry: MemoryRegistry, model_id: str, project: str) -> None:
    """Register a model of a project."""
    registry.create_model(NewModel(model_id, "text-to-text", "", "private"))
    metadata = VersionMetadata(project=project, artifact_digest="a")
    registry.post(model_id, replace(FOREIGN, metadata=metadata))


def test_prune_finds_only_what_is_ours_and_unnamed() -> None:
    """Other projects, named models and models that are not ours stay."""
    registry = MemoryRegistry()
    project_of(registry, "kept", "vision")
    project_of(registry, "gone", "vision")
    project_of(registry, "mixed", "vision")
    registry.post("mixed", FOREIGN)
    project_of(registry, "other", "speech")
    registry.by_id["theirs"] = replace(registry.by_id["gone"], id="theirs", managed=False)
    doomed = find_orphans(registry, "vision", {"kept"})
    assert [(one.model, one.whole) for one in doomed] == [("gone", True), ("mixed", False)]
    for one in doomed:
        destroy(registry, one)
    assert set(registry.by_id) == {"kept", "mixed", "other", "theirs"}
    assert [version.metadata for version in registry.posted["mixed"]] == [None]


def test_nothing_is_destroyed_by_lists_that_differ() -> None:
    """Where a model has versions at one look and not at the next, it is left alone."""
    registry = MemoryRegistry()
    project_of(registry, "gone", "ocr")
    registry.post("gone", FOREIGN)
    (one,) = find_orphans(registry, "ocr", ())
    real, looks = registry.versions, count()
    registry.versions = lambda model: real(model)[: 1 + next(looks) % 2]  # type: ignore[method-assign]
    with pytest.raises(RegistryError, match="at each look"):
        destroy(registry, one)
    assert len(real("gone")) == 2


def test_what_has_no_artifact_is_ours_but_not_built_here() -> None:
    """What `upload-model` registered, or someone wrote by hand, may be destroyed, not rebuilt."""
    strange = VersionMetadata.from_struct({"revision": "abc", "artifact_digest": 7, "tool": "1.0"})
    found = [
        RemoteVersion("v1", 21100, "", metadata=strange),
        RemoteVersion("v2", 21100, "", metadata=VersionMetadata(tool="1.0")),
        RemoteVersion("v3", 21100, "", metadata=VersionMetadata(artifact_digest="a" * 64)),
        RemoteVersion("v4", 21100, ""),
    ]
    assert [version.id for version in versions.built(found)] == ["v3"]
    assert [version.id for version in found if version.is_ours] == ["v1", "v2", "v3"]


def test_rollback_of_a_model_that_goes_meanwhile() -> None:
    """When the versions vanish after they were listed, that is said."""
    target = RemoteVersion("v1", 21100, "", metadata=VersionMetadata(artifact_digest="a" * 64))
    with pytest.raises(RegistryError, match="any more"):
        roll_back(RollbackContext("lines", MemoryStore(), MemoryRegistry()), target, "key")


def test_status_follows_the_platform() -> None:
    """Missing, Synced and Healthy, Progressing, Degraded, OutOfSync; foreign versions are named."""
    registry = MemoryRegistry()

    def status() -> sync.Status:
        return sync.status_of("clarifai.yaml", plan_of(registry, store))

    with public_bucket(MemoryStore()) as store:
        assert (status().sync, status().health) == ("OutOfSync", "Missing")
        apply(manifest_of(), ARTIFACT, store, registry)
        assert (status().sync, status().health, status().conditions) == ("Synced", "Healthy", ())
        (version,) = registry.posted["lines"]
        registry.posted["lines"] = [replace(version, status_code=21107)]
        assert (status().sync, status().health) == ("Synced", "Progressing")
        registry.posted["lines"] = [replace(version, status_code=21108, details="no memory")]
        assert (status().sync, status().health) == ("OutOfSync", "Degraded")
        assert any("no memory" in condition.message for condition in status().conditions)
        registry.posted["lines"] = [version]
        foreign = registry.post("lines", FOREIGN)
        assert status().sync == "Synced"
        assert foreign.id in status().conditions[0].message
    error = StorageError.of("store-failed", "down")
    assert sync.unknown("m", "lines", error).health == "Unknown"


def test_plan_text_names_the_files() -> None:
    """Under the new version stand the files that make it new, and a last line counts."""
    registry = MemoryRegistry()
    with public_bucket(MemoryStore()) as store:
        apply(manifest_of(), ARTIFACT, store, registry)
        changed = artifact_of({**BUILT, "1/inference.py": b"pass  # more"})
        planned = plan(manifest_of(), changed, store, registry)
    files = compare(read_listing(ARTIFACT.read, ARTIFACT.size), changed.tree)
    text = plans_text([Planned("clarifai.yaml", planned, files, "")])
    assert "      ~ 1/inference.py  4 B → 12 B\n" in text
    assert text.endswith("Plan: 2 to add, 0 to change, 0 to destroy.")
    unread = plans_text([Planned("clarifai.yaml", planned, None, "")])
    assert "can't be read" in unread


def test_the_lease_is_held_while_a_model_goes() -> None:
    """It is taken before the last look at the platform, and given back after the removal."""
    calls = Calls()
    registry, store = MemoryRegistry(calls), MemoryStore(calls)
    registry.create_model(NewModel("lines", "text-to-text", "", "private"))
    calls.names.clear()
    destroy_leased(store, "models", registry, Deletion("lines", (), whole=True))
    names = calls.names
    assert registry.by_id == {}
    assert names.index("put_if") < names.index("model") < names.index("delete_model")
    assert names.index("delete_model") < names.index("delete")
    assert store.objects == {}


@pytest.mark.parametrize("lease", [True, False])
def test_whoever_holds_the_lease_keeps_the_model(lease: bool) -> None:
    """An apply that is under way is not undone, unless no lease is asked for."""
    registry, store = MemoryRegistry(), MemoryStore()
    registry.create_model(NewModel("lines", "text-to-text", "", "private"))
    deletion = Deletion("lines", (), whole=True)
    with leases.for_model(store, "models", "me/main", "lines", "apply lines"):
        if lease:
            with pytest.raises(LeaseHeldError, match="apply lines"):
                destroy_leased(store, "models", registry, deletion)
        else:
            destroy_leased(store, "models", registry, deletion, lease=False)
    assert ("lines" in registry.by_id) == lease
