"""Applying, with crashes at every call, and hands on the platform and in the bucket between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from clarifai_build.errors import BuilderError, BuildFailedError, LeaseHeldError
from clarifai_build.pipeline import Applied, ApplyOptions, Waiting, apply, roll_back
from clarifai_build.registry import NewVersion, NoAnswerError, RemoteModel, RemoteVersion
from clarifai_build.registry.version_metadata import NO_METADATA
from clarifai_build.storage import leases
from support.fakes import (
    BUILT,
    WRITES,
    Calls,
    MemoryRegistry,
    MemoryStore,
    ShortPauses,
    artifact_of,
    manifest_of,
    public_bucket,
)

ARTIFACTS = [artifact_of({**BUILT, "1/inference.py": code}) for code in (b"a", b"b", b"cc")]
FOREIGN = NewVersion("http://theirs", {}, {}, (), "", "private", NO_METADATA)


class Killed(BaseException):
    """The process ends here; nothing after this runs, but `finally`s that give leases back do."""


class Machine(RuleBasedStateMachine):
    """One model, its bucket and its platform."""

    @initialize()
    def start(self) -> None:
        self.calls = Calls()
        self.registry = MemoryRegistry(self.calls)
        self.store = MemoryStore(self.calls)
        self.bucket = public_bucket(self.store)
        self.bucket.__enter__()
        self.artifact = ARTIFACTS[0]
        self.manifest = manifest_of(description="one")
        self.foreign = 0

    def teardown(self) -> None:
        if hasattr(self, "bucket"):
            self.bucket.__exit__(None, None, None)

    def apply(self, **way: Any) -> Applied:
        return apply(
            self.manifest,
            self.artifact,
            self.store,
            self.registry,
            ApplyOptions(waiting=Waiting(timeout=5.0), cancel=ShortPauses(), **way),
        )

    @rule(artifact=st.sampled_from(ARTIFACTS))
    def edit_code(self, artifact: Any) -> None:
        self.artifact = artifact

    @rule(text=st.sampled_from(["one", "two"]), visibility=st.sampled_from(["private", "public"]))
    def edit_manifest(self, text: str, visibility: Any) -> None:
        model = replace(self.manifest.model, description=text)
        clarifai = replace(self.manifest.clarifai, visibility=visibility)
        self.manifest = replace(self.manifest, model=model, clarifai=clarifai)

    @rule(at=st.integers(1, 20), late=st.booleans(), lease=st.booleans())
    def apply_and_be_killed(self, at: int, late: bool, lease: bool) -> None:
        """Die before or after the call of this number; a lease that is left behind expires."""
        left = iter(range(at, -1, -1))

        def count(_name: str) -> None:
            if next(left, 1) == 1:
                raise Killed

        self.calls.before, self.calls.after = (
            (Calls.before, count) if late else (count, Calls.after)
        )
        try:
            self.apply(lease=lease)
        except (Killed, BuilderError):
            pass
        finally:
            self.calls.before, self.calls.after = Calls.before, Calls.after
        for key in self.store.objects:
            self.store.ages[key] = 3600.0

    @rule(carried_out=st.booleans(), twice=st.booleans())
    def apply_without_an_answer(self, carried_out: bool, twice: bool) -> None:
        """The answer to the post is lost: carried out, or not, or delivered twice."""
        real = self.registry.create_version

        def lost(model_id: str, new: NewVersion) -> Any:
            for _ in range(carried_out + (carried_out and twice)):
                real(model_id, new)
            raise NoAnswerError.of("api-unreachable", "no answer")

        self.registry.create_version = lost  # type: ignore[method-assign]  # a fault
        try:
            self.apply()
        except NoAnswerError:
            assert not carried_out
        finally:
            del self.registry.create_version  # type: ignore[method-assign]  # the fault ends

    @rule(code=st.sampled_from([21100, 21105, 21108]))
    def platform_fails_builds(self, code: int) -> None:
        """What is there becomes what its status says; what comes is ready."""
        for versions in self.registry.posted.values():
            versions[:] = [replace(one, status_code=code) for one in versions]

    @precondition(lambda self: self.registry.posted.get("lines"))
    @rule(data=st.data())
    def delete_a_version_by_hand(self, data: Any) -> None:
        versions = self.registry.posted["lines"]
        gone = data.draw(st.sampled_from(versions))
        self.foreign -= not gone.is_ours
        versions.remove(gone)

    @precondition(lambda self: self.registry.by_id)
    @rule()
    def post_a_version_by_hand(self) -> None:
        self.registry.post("lines", FOREIGN)
        self.foreign += 1

    @precondition(lambda self: self.registry.by_id)
    @rule()
    def edit_the_model_by_hand(self) -> None:
        model = self.registry.by_id["lines"]
        self.registry.by_id["lines"] = replace(model, description="edited", visibility="org")

    @precondition(lambda self: self.registry.by_id)
    @rule()
    def delete_the_model_by_hand(self) -> None:
        self.registry.by_id.clear()
        self.registry.posted.clear()
        self.foreign = 0

    @precondition(lambda self: self.store.objects)
    @rule(data=st.data(), body=st.sampled_from([None, b"short", "same size"]))
    def tamper_with_the_bucket(self, data: Any, body: Any) -> None:
        """Remove or replace an object by hand."""
        key = data.draw(st.sampled_from(sorted(self.store.objects)))
        old = self.store.objects.pop(key)[0]
        if body is not None:
            self.store.put(key, b"x" * len(old) if body == "same size" else body, {})
            self.store.ages[key] = 3600.0  # a lease that is written to just now is somebody's

    @rule()
    def apply_converges(self) -> None:
        """One clean apply makes live what is wanted, and the next writes nothing."""
        applied = self.apply()
        assert applied.version.artifact_digest == self.artifact.digest
        assert applied.version.health == "ready"
        assert self.store.objects[f"models/{self.artifact.digest}/lines_text-to-text.zip"][0] == (
            self.artifact.read(0, self.artifact.size)
        )
        model = self.registry.by_id["lines"]
        assert model.description == self.manifest.model.description
        assert model.visibility == self.manifest.clarifai.visibility
        ours = [one for one in self.registry.posted["lines"] if one.is_ours]
        assert ours[-1].artifact_digest == self.artifact.digest
        registered = Counter(one.registration_digest for one in ours if one.health != "failed")
        assert registered[applied.plan.registration.digest] == 1
        self.calls.names.clear()
        assert not self.apply().plan.actions
        assert not WRITES & set(self.calls.names)
        assert len(self.calls.names) <= 3

    @invariant()
    def what_is_not_ours_is_not_touched(self) -> None:
        if hasattr(self, "registry"):
            theirs = [v for v in self.registry.posted.get("lines", []) if not v.is_ours]
            assert len(theirs) == self.foreign


def test_apply_converges_from_anywhere() -> None:
    """Whatever happens in between, one clean apply converges and a second writes nothing."""
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=100, stateful_step_count=25, deadline=None)
    )


def test_foreign_model_is_not_touched() -> None:
    """Without --adopt, a model that is not ours sees no write call."""
    calls = Calls()
    registry, store = MemoryRegistry(calls), MemoryStore(calls)
    registry.by_id["lines"] = RemoteModel("lines", "text-to-text", "", "private", managed=False)
    with pytest.raises(BuilderError, match="not made by"):
        apply(manifest_of(), ARTIFACTS[0], store, registry)
    assert not WRITES & set(calls.names)


class Published:
    """A model that was applied twice, so that there is an earlier version to go back to."""

    def __init__(self, store: MemoryStore) -> None:
        self.store, self.calls = store, store.calls
        self.registry = MemoryRegistry(store.calls)
        for artifact in ARTIFACTS[:2]:
            apply(manifest_of(), artifact, store, self.registry)
        self.calls.names.clear()

    @property
    def posted(self) -> list[RemoteVersion]:
        """The versions that are there, oldest first."""
        return self.registry.posted["lines"]

    def roll_back(self, **waiting: Any) -> RemoteVersion:
        """Go back to the oldest version, without sleeping."""
        earlier, way = self.posted[0], Waiting(**waiting)
        arguments = (manifest_of(), earlier, self.store, self.registry, way)
        return roll_back(*arguments, cancel=ShortPauses())


@pytest.fixture
def published() -> Iterator[Published]:
    """A bucket and a platform that share a log of calls."""
    with public_bucket(MemoryStore(Calls())) as store:
        yield Published(store)


def test_an_earlier_version_replaces_itself(published: Published) -> None:
    """Its zip is registered anew and newest; the older one of the same content goes after that."""
    first, second = published.posted
    version = published.roll_back()
    assert version.artifact_digest == first.artifact_digest
    assert published.posted == [second, version]
    names = published.calls.names
    assert names.index("create_version") < names.index("delete_version")


def test_the_lease_is_held_while_it_goes_back(published: Published) -> None:
    """From the first look to the last removal; then it is given back."""
    published.roll_back()
    names = [name for name in published.calls.names if name in WRITES]
    assert (names[0], names[-2:]) == ("put_if", ["delete_version", "delete"])
    assert leases.unlock(published.store, "models", "me/main", "lines") is None


def test_going_back_waits_for_no_apply(published: Published) -> None:
    """While another holds the lease, nothing changes."""
    with (
        leases.for_model(published.store, "models", "me/main", "lines", "apply lines"),
        pytest.raises(LeaseHeldError, match="apply lines"),
    ):
        published.roll_back()
    assert "create_version" not in published.calls.names


def test_both_versions_stay_where_nobody_waits(published: Published) -> None:
    """What may not be ready yet does not cost the one that is."""
    published.registry.code = 21107
    before = list(published.posted)
    version = published.roll_back(wait=False)
    assert published.posted == [*before, version]
    assert version.health == "progressing"


def test_the_earlier_version_stays_where_the_new_one_fails(published: Published) -> None:
    """A version that the platform can't build replaces nothing."""
    published.registry.code = 21108
    before = list(published.posted)
    with pytest.raises(BuildFailedError):
        published.roll_back()
    assert published.posted[:2] == before
    assert "delete_version" not in published.calls.names
