"""Status, read off a plan: which condition stands for which step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clarifai_build.deploy.planning import Observed, make_plan
from clarifai_build.deploy.registration import ARTIFACT_DIGEST, Registration
from clarifai_build.deploy.status import Status, status_of, unknown
from clarifai_build.errors import Problem, StorageError
from clarifai_build.pipeline import apply, plan
from clarifai_build.registry import NewModel, NewVersion, RemoteModel, RemoteVersion
from clarifai_build.registry.version_metadata import NO_METADATA, VersionMetadata
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
METADATA = WANTED.new_version("http://zip", VersionMetadata(canary="")).metadata
READY = RemoteVersion("v1", 21100, "Trained", description="Reads.", metadata=METADATA)
FAILED = replace(READY, status_code=21108, status="Failed", details="no memory")
STORED = StoredObject("key", 100, "etag", {ARTIFACT_DIGEST: WANTED.artifact_digest})
SETTLED = Observed(MODEL, (READY,), STORED)
ARTIFACT = artifact_of(BUILT)
FOREIGN = NewVersion("http://theirs", {}, {}, (), "", "private", NO_METADATA)


def status(observed: Observed, *, adopt: bool = False) -> Status:
    """Return the status of what was observed."""
    return status_of("clarifai.yaml", make_plan(WANTED, observed, adopt=adopt))


@pytest.mark.parametrize(
    ("observed", "conditions"),
    [
        (SETTLED, []),
        (replace(SETTLED, stored=None), ["ArtifactStored"]),
        (Observed(None, (), STORED), ["ModelRegistered", "VersionRegistered"]),
        (replace(SETTLED, model=replace(MODEL, managed=False)), ["ModelManaged"]),
        (replace(SETTLED, model=replace(MODEL, visibility="org")), ["ModelUpToDate"]),
        (replace(SETTLED, versions=(replace(READY, id="v2"), READY)), ["VersionUnique"]),
        (replace(SETTLED, versions=(replace(READY, visibility="org"),)), ["VersionUpToDate"]),
        (replace(SETTLED, versions=(replace(READY, status_code=21107),)), ["VersionReady"]),
        (
            replace(SETTLED, versions=(FAILED,)),
            ["VersionUnique", "VersionRegistered", "VersionReady"],
        ),
        (
            replace(SETTLED, versions=(RemoteVersion("v9", 21100, ""), READY)),
            ["VersionServing"],
        ),
    ],
)
def test_each_step_is_a_condition(observed: Observed, conditions: list[str]) -> None:
    """None holds more or less than what a plan would do about it."""
    found = status(observed)
    assert [condition.type for condition in found.conditions] == conditions
    waits = {"VersionReady", "VersionServing"}
    assert found.sync == ("Synced" if set(conditions) <= waits else "OutOfSync")
    assert {condition.status for condition in found.conditions} <= {"False"}


@pytest.mark.parametrize(
    ("code", "health"),
    [(21100, "Healthy"), (21107, "Progressing"), (21108, "Degraded"), (21102, "Unknown")],
)
def test_health_is_that_of_the_live_version(code: int, health: str) -> None:
    """Whether or not it is what is wanted; the version and its artifact are named."""
    other = replace(METADATA, artifact_digest="b" * 64, registration_digest="x")
    live = replace(READY, status_code=code, metadata=other)
    found = status(replace(SETTLED, versions=(live,)))
    assert (found.sync, found.health) == ("OutOfSync", health)
    assert (found.version, found.artifact_digest) == ("v1", "b" * 64)
    assert (found.manifest, found.model) == ("clarifai.yaml", "lines")


def test_a_version_that_nobody_has_heard_is_not_healthy() -> None:
    """What was recorded, or found out just now, decides."""
    silent = replace(READY, metadata=replace(METADATA, canary="ValueError: x"))
    unasked = replace(READY, metadata=replace(METADATA, canary=None))
    plans = [make_plan(WANTED, replace(SETTLED, versions=(one,))) for one in (silent, unasked)]
    degraded, unknown_yet = (status_of("m", plan) for plan in plans)
    assert (degraded.health, degraded.conditions[0].message) == ("Degraded", "v1: ValueError: x")
    assert (unknown_yet.health, unknown_yet.conditions[0].status) == ("Unknown", "Unknown")
    assert status_of("m", plans[1], "").health == "Healthy"
    assert status_of("m", plans[1], "no").health == "Degraded"


def test_nothing_live_is_missing() -> None:
    """A version of someone else's does not count."""
    foreign = RemoteVersion("v9", 21100, "")
    for versions in ((), (foreign,)):
        found = status(replace(SETTLED, versions=versions))
        assert (found.health, found.version, found.artifact_digest) == ("Missing", "", "")


def test_messages_name_the_version_and_the_platforms_words() -> None:
    """So that nobody has to look them up."""
    *_, ready = status(replace(SETTLED, versions=(FAILED,))).conditions
    assert ready.message == "Failed: no memory"
    bare = replace(FAILED, details="")
    *_, ready = status(replace(SETTLED, versions=(bare,))).conditions
    assert ready.message == "Failed"
    twice = status(replace(SETTLED, versions=(replace(READY, id="v2"), READY)))
    assert twice.conditions[0].message == "v2: duplicate of v1"
    lost = status(replace(SETTLED, stored=None))
    assert lost.conditions[0].message == "the live artifact is gone from the bucket"


def test_what_can_not_be_looked_at_is_unknown() -> None:
    """With a condition a problem."""
    error = StorageError(Problem("a", "down"), Problem("b", "and out"))
    found = unknown("m.yaml", "lines", error)
    assert (found.sync, found.health, found.version) == ("Unknown", "Unknown", "")
    assert [(one.type, one.message, one.status) for one in found.conditions] == [
        ("Observed", "down", "Unknown"),
        ("Observed", "and out", "Unknown"),
    ]


def test_status_follows_the_platform() -> None:
    """Missing, Synced and Healthy, Progressing, Degraded, OutOfSync; foreign versions are named."""
    registry = MemoryRegistry()

    def now() -> Status:
        return status_of("clarifai.yaml", plan(manifest_of(), ARTIFACT, store, registry))

    with public_bucket(MemoryStore()) as store:
        assert (now().sync, now().health) == ("OutOfSync", "Missing")
        apply(manifest_of(), ARTIFACT, store, registry)
        assert (now().sync, now().health, now().conditions) == ("Synced", "Healthy", ())
        (version,) = registry.posted["lines"]
        registry.posted["lines"] = [replace(version, status_code=21107)]
        assert (now().sync, now().health) == ("Synced", "Progressing")
        registry.posted["lines"] = [replace(version, status_code=21108, details="no memory")]
        assert (now().sync, now().health) == ("OutOfSync", "Degraded")
        assert any("no memory" in condition.message for condition in now().conditions)
        registry.posted["lines"] = [version]
        foreign = registry.post("lines", FOREIGN)
        assert now().sync == "Synced"
        assert foreign.id in now().conditions[0].message
    error = StorageError.of("store-failed", "down")
    assert unknown("m", "lines", error).health == "Unknown"
