"""A bucket that two apps share, whose artifacts are collected."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clarifai_build.deploy.gc import artifacts
from clarifai_build.deploy.gc.artifacts import Bucket, Decision, plan_gc
from clarifai_build.deploy.registration import Registration
from clarifai_build.pipeline import ApplyOptions, Waiting, apply
from support.fakes import (
    BUILT,
    Calls,
    MemoryRegistry,
    MemoryStore,
    ShortPauses,
    artifact_of,
    manifest_of,
    public_bucket,
)

ARTIFACT = artifact_of(BUILT)
OTHER = artifact_of({**BUILT, "1/inference.py": b"other"})
MANIFEST = manifest_of()
LONG_AGO = 1e6


class World:
    """A bucket that two apps share; the first has published, and its version is gone since."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.ours = MemoryRegistry(store.calls)
        self.theirs = MemoryRegistry(store.calls)
        self.theirs.scope = "them/main"

    def apply(self, registry: MemoryRegistry, artifact: Any = ARTIFACT, lease: bool = True) -> None:
        """Apply, without waiting."""
        way = ApplyOptions(waiting=Waiting(wait=False), cancel=ShortPauses(), lease=lease)
        apply(MANIFEST, artifact, self.store, registry, way)

    def age(self) -> None:
        """Let time pass."""
        self.store.ages = dict.fromkeys(self.store.objects, LONG_AGO)

    def bucket(self, grace: float = 0.0) -> Bucket:
        """Return what the first app cleans up."""
        return Bucket(self.store, self.ours, "models", grace)

    def collect(self, grace: float = 0.0) -> tuple[Decision, ...]:
        """Judge and collect."""
        bucket = self.bucket(grace)
        return artifacts.collect(bucket, plan_gc(bucket))

    def stored(self, artifact: Any = ARTIFACT) -> bool:
        """Say whether the zip of an artifact is in the bucket."""
        registration = Registration.of(MANIFEST, artifact.digest, artifact.size)
        return registration.key("models") in self.store.objects


def actions(decisions: tuple[Decision, ...]) -> list[str]:
    """Return what became of the artifacts."""
    return [decision.action for decision in decisions]


@contextmanager
def unused_artifact() -> Iterator[World]:
    """Make an artifact of ours that no version refers to, written long ago."""
    with public_bucket(MemoryStore(Calls())) as store:
        made = World(store)
        made.apply(made.ours)
        made.ours.delete_model(MANIFEST.model.id)
        made.age()
        yield made
