"""What of a model is ours to destroy, and that nothing else goes."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from clarifai_build.cancellation import CancelToken
from clarifai_build.deploy.destroy import (
    Deletion,
    destroy,
    destroy_leased,
    find_orphans,
    plan_deletion,
)
from clarifai_build.errors import LeaseHeldError, RegistryError, StalePlanError
from clarifai_build.progress import Event
from clarifai_build.registry import NewModel, NewVersion
from clarifai_build.registry.version_metadata import NO_METADATA, VersionMetadata
from clarifai_build.storage import leases
from support.fakes import Calls, MemoryRegistry, MemoryStore

METADATA = VersionMetadata("a", project="ocr")
OURS = NewVersion("http://ours", {}, {}, (), "", "private", METADATA)
FOREIGN = replace(OURS, zip_url="http://theirs", metadata=NO_METADATA)


def registry_of(*versions: NewVersion, managed: bool = True) -> MemoryRegistry:
    """Return a platform that has one model with these versions, the oldest first."""
    registry = MemoryRegistry()
    registry.create_model(NewModel("lines", "text-to-text", "", "private"))
    registry.by_id["lines"] = replace(registry.by_id["lines"], managed=managed)
    for version in versions:
        registry.post("lines", version)
    return registry


def test_a_model_of_someone_elses_without_versions_is_not_ours() -> None:
    """That nothing of it is foreign does not make it ours."""
    registry = registry_of(managed=False)
    assert plan_deletion(registry, "lines") is None
    with pytest.raises(StalePlanError):
        destroy(registry, Deletion("lines", (), whole=True))
    assert "lines" in registry.by_id


def test_a_model_of_ours_without_versions_goes() -> None:
    """An apply that died after making the model leaves one."""
    registry = registry_of()
    deletion = plan_deletion(registry, "lines")
    assert deletion == Deletion("lines", (), whole=True)
    destroy(registry, deletion)
    assert registry.by_id == {}


def test_a_model_of_someone_elses_keeps_its_shell() -> None:
    """Where all versions are ours and the model is not, the versions go and the model stays."""
    registry = registry_of(OURS, OURS, managed=False)
    deletion = plan_deletion(registry, "lines")
    assert deletion == Deletion("lines", ("v2", "v1"), whole=False)
    destroy(registry, deletion)
    assert registry.posted["lines"] == []
    assert "lines" in registry.by_id


def test_where_nothing_is_ours_nothing_is_destroyed() -> None:
    """No model, or one that holds only what others registered."""
    assert plan_deletion(MemoryRegistry(), "lines") is None
    assert plan_deletion(registry_of(FOREIGN, managed=False), "lines") is None
    assert plan_deletion(registry_of(FOREIGN), "lines") is None


def test_what_others_registered_stays() -> None:
    """Beside versions of ours, and the model with it."""
    registry = registry_of(OURS, FOREIGN, OURS)
    deletion = plan_deletion(registry, "lines")
    assert deletion == Deletion("lines", ("v3", "v1"), whole=False)
    destroy(registry, deletion)
    assert [version.id for version in registry.posted["lines"]] == ["v2"]


@pytest.mark.parametrize("change", ["more", "fewer", "foreign", "gone"])
def test_what_changed_since_it_was_shown_is_not_destroyed(change: str) -> None:
    """A version that came or went meanwhile was never agreed to."""
    registry = registry_of(OURS, OURS)
    deletion = plan_deletion(registry, "lines")
    assert deletion is not None
    if change == "more":
        registry.post("lines", OURS)
    elif change == "fewer":
        registry.delete_version("lines", "v1")
    elif change == "foreign":
        registry.post("lines", FOREIGN)
    else:
        registry.delete_model("lines")
    before = list(registry.posted.get("lines", ()))
    with pytest.raises(StalePlanError, match="have changed") as raised:
        destroy(registry, deletion)
    assert raised.value.problems[0].code == "plan-stale"
    assert registry.posted.get("lines", []) == before


def test_the_newest_version_says_to_which_project_a_model_belongs() -> None:
    """One that moved to another project is not pruned with the old one."""
    moved = replace(OURS, metadata=replace(METADATA, project="speech"))
    registry = registry_of(OURS, moved)
    assert find_orphans(registry, "ocr", ()) == ()
    assert find_orphans(registry, "speech", ()) == (Deletion("lines", ("v2", "v1"), whole=True),)
    registry.post("lines", FOREIGN)
    assert find_orphans(registry, "speech", ()) == (Deletion("lines", ("v2", "v1"), whole=False),)


def test_pruning_passes_over_what_has_no_version_of_ours() -> None:
    """Which project such a model belongs to nobody knows."""
    assert find_orphans(registry_of(), "ocr", ()) == ()
    assert find_orphans(registry_of(FOREIGN), "ocr", ()) == ()
    assert find_orphans(registry_of(OURS, managed=False), "ocr", ()) == ()
    assert find_orphans(registry_of(OURS), "ocr", ("lines",)) == ()


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
    deletions = find_orphans(registry, "vision", {"kept"})
    assert [(one.model, one.whole) for one in deletions] == [("gone", True), ("mixed", False)]
    for one in deletions:
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


def test_the_lease_is_held_while_a_model_goes() -> None:
    """It is taken before the last look at the platform, and given back after the removal."""
    calls = Calls()
    registry, store = MemoryRegistry(calls), MemoryStore(calls)
    registry.create_model(NewModel("lines", "text-to-text", "", "private"))
    calls.names.clear()
    told: list[Event] = []
    destroy_leased(store, "models", registry, Deletion("lines", (), whole=True), told.append)
    assert told == [Event("destroy", "done", "destroyed lines")]
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


def test_a_destroy_that_is_cancelled_ends_between_two_versions() -> None:
    """The others stay, the lease is given back, and nothing is said to be destroyed."""
    registry, store, cancel = registry_of(OURS, OURS, managed=False), MemoryStore(), CancelToken()
    told: list[Event] = []
    registry.calls.after = lambda name: cancel.cancel() if name == "delete_version" else None
    deletion = Deletion("lines", ("v2", "v1"), whole=False)
    with pytest.raises(KeyboardInterrupt):
        destroy_leased(store, "models", registry, deletion, told.append, cancel=cancel)
    assert [version.id for version in registry.posted["lines"]] == ["v1"]
    assert (store.objects, told) == ({}, [])
