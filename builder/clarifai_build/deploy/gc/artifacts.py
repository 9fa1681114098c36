"""Removal of published artifacts that no version refers to any more.

An artifact that this app claims is done with when no version of the app refers to it, and nothing
in its folder is younger than the grace period. It goes with its records; where another app claims
it, too, only this app's claim goes, and the artifact with the last one. Models are leased while
their artifacts go, so no apply of this app can be about to register them; applies of other apps see
the announced removal (see `claims`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from clarifai_build.errors import LeaseHeldError
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.registry import ModelRegistry, RemoteVersion
from clarifai_build.registry.consistent_reads import read_stable
from clarifai_build.storage import FoundObject, ObjectStore, claims, leases
from clarifai_build.storage.keys import (
    Claim,
    artifact_folder_in,
    claim_in,
    digest_of_folder,
    is_artifact,
    is_removal,
    root,
)
from clarifai_build.storage.leases import Lease, NoLease
from clarifai_build.util.text import short

GcAction = Literal["remove", "release", "used", "young", "leased", "unsafe", "removed", "released"]
DELETING: tuple[GcAction, ...] = ("remove", "release")
"""What `collect` carries out: the artifact goes, or the claim of this app on it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A published artifact: its folder in the bucket, and all that lies in it."""

    folder: str
    artifact_digest: str
    objects: tuple[FoundObject, ...]

    @property
    def size(self) -> int:
        return sum(found.size for found in self.objects)

    @property
    def age(self) -> float:
        """Seconds since something of it was last written."""
        # An announced removal is always young, and says nothing of the artifact.
        ages = [found.age for found in self.objects if not is_removal(found.key)]
        return min(ages, default=0.0)

    @property
    def claims(self) -> tuple[Claim, ...]:
        found = (claim_in(one.key) for one in self.objects)
        return tuple(claim for claim in found if claim)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of an artifact, or has, and why."""

    stored: Stored
    action: GcAction
    reason: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is cleaned up: the artifacts of one app under a prefix. `grace` is in seconds."""

    store: ObjectStore
    registry: ModelRegistry
    prefix: str
    grace: float


def plan_gc(bucket: Bucket) -> tuple[Decision, ...]:
    """Say of every artifact that this app claims what is to become of it; changes nothing."""
    scope = bucket.registry.scope
    # The bucket before the platform: a version that is registered in between is seen.
    mine = [
        stored
        for stored in _find(bucket.store, bucket.prefix)
        if any(claim.scope == scope for claim in stored.claims)
    ]
    if not mine:
        return ()
    models = {model.id for model in bucket.registry.models()}
    # A list may lack a model that was just made; its claim was laid before.
    models |= {claim.model for stored in mine for claim in stored.claims if claim.scope == scope}
    used = [
        version for model in sorted(models) for version in read_stable(bucket.registry, model)[1]
    ]
    return tuple(_decide(stored, bucket, used) for stored in mine)


def collect(
    bucket: Bucket, decisions: Iterable[Decision], progress: ProgressCallback = no_progress
) -> tuple[Decision, ...]:
    """Carry out what was judged, looking again before each; return what became of all."""
    return tuple(
        _remove(bucket, decision, progress) if decision.action in DELETING else decision
        for decision in decisions
    )


def _decide(stored: Stored, bucket: Bucket, versions: Iterable[RemoteVersion]) -> Decision:
    scope = bucket.registry.scope
    digest = stored.artifact_digest
    for version in versions:
        # One that this tool did not register has no digest on record, but may lead to the zip.
        if version.artifact_digest == digest or f"/{digest}/" in version.zip_url:
            return Decision(stored, "used", f"version {version.id} refers to it")
    if stored.age < bucket.grace:
        return Decision(
            stored, "young", f"modified {stored.age:.0f} s ago, within the grace period"
        )
    if others := sorted({claim.scope for claim in stored.claims} - {scope}):
        why = f"no version of this app refers to it; {', '.join(others)} may use it"
        return Decision(stored, "release", why)
    return Decision(stored, "remove", "no version refers to it")


def _remove(bucket: Bucket, decision: Decision, progress: ProgressCallback) -> Decision:
    store, scope, stored = bucket.store, bucket.registry.scope, decision.stored
    model = next(claim.model for claim in stored.claims if claim.scope == scope)
    purpose = f"gc {short(stored.artifact_digest)}"
    try:
        with leases.for_model(store, bucket.prefix, scope, model, purpose, progress) as lease:
            return _remove_leased(bucket, stored, model, lease, progress)
    except LeaseHeldError as error:
        return Decision(stored, "leased", error.problems[0].message)


def _remove_leased(
    bucket: Bucket,
    stored: Stored,
    model: str,
    lease: Lease | NoLease,
    progress: ProgressCallback,
) -> Decision:
    if not lease.exclusive:
        return Decision(stored, "unsafe", "the store keeps no leases, so an apply could be at work")
    store = bucket.store
    if not claims.announce_removal(store, stored.folder):
        return Decision(stored, "leased", "another removal is under way")
    try:
        again = _look(store, stored.folder)
        # By the store's clock, an age shrinks only when something is written.
        if again.age < stored.age:
            return Decision(again, "young", "modified just now")
        decision = _decide(again, bucket, read_stable(bucket.registry, model)[1])
        if decision.action not in DELETING:
            return decision
        # The last moment before something is lost.
        lease.check()
        done: GcAction = "removed" if decision.action == "remove" else "released"
        for found in sorted(again.objects, key=_last_the_claims):
            claim = claim_in(found.key)
            if done == "removed" or (claim and claim.scope == bucket.registry.scope):
                store.delete(found.key)
        progress(Event("gc", "done", f"{done} {stored.folder}"))
        return Decision(again, done, decision.reason)
    finally:
        claims.end_removal(store, stored.folder)


def _last_the_claims(found: FoundObject) -> tuple[bool, bool]:
    """Order deletions so that the next gc finds what an interrupt left: artifact, …, claims."""
    return claim_in(found.key) is not None, not is_artifact(found.key)


def _find(store: ObjectStore, prefix: str) -> list[Stored]:
    folders: dict[str, list[FoundObject]] = {}
    for found in store.find(root(prefix)):
        if folder := artifact_folder_in(found.key, prefix):
            folders.setdefault(folder, []).append(found)
    return [_stored(folder, objects) for folder, objects in folders.items()]


def _look(store: ObjectStore, folder: str) -> Stored:
    return _stored(folder, store.find(folder))


def _stored(folder: str, objects: Iterable[FoundObject]) -> Stored:
    kept = tuple(found for found in objects if not is_removal(found.key))
    return Stored(folder, digest_of_folder(folder), kept)
