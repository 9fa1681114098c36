"""A lease on a model: a small object beside the artifacts that one apply at a time can make.

The process that writes it first holds it, and renews it while the apply runs. One that was not
renewed for `EXPIRY` seconds, by the store's clock, is taken over: its holder has died.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from clarifai_build.errors import BuilderError, ConditionalWritesUnsupportedError, LeaseHeldError
from clarifai_build.progress import Event, ProgressCallback, no_progress, warn
from clarifai_build.storage import ObjectStore
from clarifai_build.storage.keys import lease_key
from clarifai_build.storage.lease_acquisition import EXPIRY, acquire, holder_of
from clarifai_build.storage.lease_holder import Holder, user
from clarifai_build.util import threads

# Seconds: three of them may fail before a lease expires.
RENEWAL = 15.0
# Seconds. One that lands while the lease is given back would keep it for another minute.
_LAST_RENEWAL = 5.0
_PATIENCE, _HASTE = 10.0, 0.5
"""Seconds in which a lease is given back after an error, and after an interrupt."""
_UNCONDITIONAL = (
    "this store knows no conditional writes, so two applies at once are not kept apart; "
    "--no-lease does without this warning"
)
_EXPIRES = "the lease expires by itself"


def unlock(store: ObjectStore, prefix: str, scope: str, model_id: str) -> Holder | None:
    """Remove the lease of a model, whatever process holds it, and return its holder."""
    key = lease_key(prefix, scope, model_id)
    holder = holder_of(store, key)
    if holder:
        store.delete(key)
    return holder


class NoLease:
    """Stands for a lease where none is held: it is never lost, and excludes no other process."""

    exclusive = False

    def check(self) -> None:
        """Do nothing: there is nothing to lose."""


class Lease:
    """A lease that this process holds: `exclusive` says that no other works on the model."""

    exclusive = True

    def __init__(self, store: ObjectStore, key: str, holder: Holder, etag: str) -> None:
        self._store, self._key, self._holder, self._etag = store, key, holder, etag
        self._renewed = _now()
        self._released = threading.Event()
        self._lost = ""

    def check(self) -> None:
        """Raise LeaseHeldError when this process lost the lease: another may be at work."""
        if not self._lost and _now() - self._renewed > EXPIRY:
            self._lost = "it could not be renewed in time"
        if self._lost:
            raise LeaseHeldError.of(
                "lease-lost",
                f"the lease {self._key} was lost: {self._lost}",
                hint="apply again: it goes on from here",
            )

    def renew_until_released(self, every: float) -> None:
        """Renew again and again; ends when the lease is released or lost."""
        while not self._released.wait(every) and not self._lost:
            self.renew()

    def renew(self) -> None:
        """Renew once. A store that fails now may answer the next time."""
        asked = _now()
        self._holder = replace(self._holder, renewals=self._holder.renewals + 1)
        try:
            etag = self._replace()
            if etag is not None:
                self._etag, self._renewed = etag, asked
            elif not self._is_ours():
                self._lost = f"{holder_of(self._store, self._key) or 'nobody'} holds it now"
        except BuilderError:
            return

    def _replace(self) -> str | None:
        try:
            return self._store.put_if(self._key, self._holder.body(), self._etag)
        except ConditionalWritesUnsupportedError:
            if not self._is_ours():
                return None
            self._store.write(self._key, self._holder.body())
            return self._etag  # of what was replaced: no condition will need the new one

    def stop(self) -> None:
        """Make `renew_until_released` end."""
        self._released.set()

    def release(self, progress: ProgressCallback = no_progress) -> None:
        """Give the lease back, unless another process holds it by now.

        What was done under it is done: a store that refuses is a warning, not an error.
        """
        if self._lost:
            return
        try:
            if self._is_ours():
                self._delete()
        except BuilderError as error:
            _not_released(progress, f"not given back, {_EXPIRES}: {error}")

    def _delete(self) -> None:
        try:
            self._store.delete(self._key, self._etag)
        except ConditionalWritesUnsupportedError:
            self._store.delete(self._key)

    def _is_ours(self) -> bool:
        """Ask the store: a renewal that got no answer may have been carried out."""
        asked = _now()
        found = self._store.get(self._key)
        if found is None or Holder.of(found.body).id != self._holder.id:
            return False
        self._etag, self._renewed = found.etag, asked - found.age
        return True


@contextmanager
def for_model(
    store: ObjectStore,
    prefix: str,
    scope: str,
    model_id: str,
    purpose: str,
    progress: ProgressCallback = no_progress,
    *,
    wanted: bool = True,
) -> Iterator[Lease | NoLease]:
    """Hold the lease of a model while the block runs; raises LeaseHeldError where another does.

    `scope` is the model's user and app; `purpose` is shown to those who are kept out. Where the
    store keeps no leases, or none is `wanted`, what is given is not `exclusive`.
    """
    if not wanted:
        yield NoLease()
        return
    key = lease_key(prefix, scope, model_id)
    with held(store, key, Holder.here(purpose), progress) as lease:
        yield lease or NoLease()


@contextmanager
def held(
    store: ObjectStore,
    key: str,
    holder: Holder,
    progress: ProgressCallback = no_progress,
    *,
    renewal: float = RENEWAL,
    expiry: float = EXPIRY,
) -> Iterator[Lease | None]:
    """Hold the lease at `key` while the block runs; raises LeaseHeldError where another does.

    Gives None, after a warning, with a store that knows no conditional writes.
    """
    grip = _Grip(store, key, holder, expiry)
    try:
        lease = grip.take(progress, renewal)
        if lease is None:
            warn(progress, "lease-unsupported", _UNCONDITIONAL, stage="lease")
        yield lease
        grip.give_back(progress)
    # That, too, may be interrupted, and is done again then.
    except BaseException as error:
        grip.give_back(progress, _PATIENCE if isinstance(error, Exception) else _HASTE)
        raise


class _Grip:
    """A lease on its way to this process and back. Both are walked on threads of their own: what
    interrupts the one that works must not leave a lease behind that nobody knows of."""

    def __init__(self, store: ObjectStore, key: str, holder: Holder, expiry: float) -> None:
        self._store, self._key, self._holder, self._expiry = store, key, holder, expiry
        self._lease: Lease | None = None
        self._heartbeat: threading.Thread | None = None
        self._begun, self._ended = False, threading.Event()

    def take(self, progress: ProgressCallback, renewal: float) -> Lease | None:
        """Take the lease, and keep it alive; gives None where the store can't keep one."""
        told: list[Event] = []
        self._begun = True
        taking = threads.start([lambda: self._take(told.append, renewal)], 1)
        threads.wait_all(taking, lambda: None)
        for event in told:
            progress(event)
        return self._lease

    def give_back(self, progress: ProgressCallback, seconds: float | None = None) -> None:
        """Give back what was taken; on the way out from a failure the store may not answer."""
        if not self._begun or (self._ended.is_set() and self._lease is None):
            return
        told: list[Event] = []
        giving = threads.start([lambda: self._give_back(told.append)], 1)
        done = threads.ended(giving, seconds)
        for event in told:
            progress(event)
        if not done:
            _not_released(progress, f"not given back in time, {_EXPIRES}")
        elif seconds is None:
            giving[0].result()

    def _take(self, progress: ProgressCallback, renewal: float) -> None:
        try:
            etag = acquire(self._store, self._key, self._holder, progress, self._expiry)
            if etag is None:
                return
            lease = Lease(self._store, self._key, self._holder, etag)
            self._heartbeat = threading.Thread(
                target=lease.renew_until_released, args=(renewal,), daemon=True
            )
            self._heartbeat.start()
            self._lease = lease
        finally:
            self._ended.set()

    def _give_back(self, tell: ProgressCallback) -> None:
        # It may still be on its way here.
        self._ended.wait()
        if self._lease and self._heartbeat:
            self._lease.stop()
            self._heartbeat.join(_LAST_RENEWAL)
            self._lease.release(tell)


def _not_released(progress: ProgressCallback, words: str) -> None:
    hint = "until then, `clarifai-build unlock` takes it away"
    warn(progress, "lease-not-released", words, stage="lease", hint=hint)


def _now() -> float:
    """Return seconds of a clock that also counts while the machine sleeps, where there is one."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


__all__ = [
    "EXPIRY",
    "RENEWAL",
    "Holder",
    "Lease",
    "NoLease",
    "for_model",
    "held",
    "holder_of",
    "unlock",
    "user",
]
