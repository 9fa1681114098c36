"""A lease on a model: a small object beside the artifacts that one apply at a time can make.

The process that writes it first holds it, and renews it while the apply runs. One that was not
renewed for `EXPIRY` seconds, by the store's clock, is taken over: its holder has died.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from clarifai_build.errors import BuilderError, ConditionalWritesUnsupportedError, LeaseHeldError
from clarifai_build.progress import Event, ProgressCallback, no_progress, warn
from clarifai_build.storage import ObjectStore
from clarifai_build.storage.keys import lease_key
from clarifai_build.storage.lease_holder import Holder, user

# Seconds. Three renewals may fail; a CI job that was cancelled costs the next one a minute.
EXPIRY = 60.0
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


def holder_of(store: ObjectStore, key: str) -> Holder | None:
    """Return who holds the lease, if anyone does."""
    found = store.get(key)
    return Holder.of(found.body) if found else None


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
        try:
            etag = self._store.put_if(self._key, self._holder.body(), self._etag)
            if etag is not None:
                self._etag, self._renewed = etag, asked
            elif not self._is_ours():
                self._lost = f"{holder_of(self._store, self._key) or 'nobody'} holds it now"
        except BuilderError:
            return

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
    etag = _acquire(store, key, holder, progress, expiry)
    if etag is None:
        warn(progress, "lease-unsupported", _UNCONDITIONAL, stage="lease")
        yield None
        return
    lease = Lease(store, key, holder, etag)
    heartbeat = threading.Thread(target=lease.renew_until_released, args=(renewal,), daemon=True)
    heartbeat.start()

    def give_back(tell: ProgressCallback) -> None:
        lease.stop()
        heartbeat.join(_LAST_RENEWAL)
        lease.release(tell)

    try:
        yield lease
    except BaseException as error:
        _try_for(_PATIENCE if isinstance(error, Exception) else _HASTE, give_back, progress)
        raise
    give_back(progress)


def _try_for(
    seconds: float, give_back: Callable[[ProgressCallback], None], progress: ProgressCallback
) -> None:
    """Give a lease back on the way out from a failure: the store may not answer any more."""
    from clarifai_build.util import threads

    told: list[Event] = []
    if threads.ended(threads.start([lambda: give_back(told.append)], 1), seconds):
        for event in told:
            progress(event)
    else:
        _not_released(progress, f"not given back in time, {_EXPIRES}")


def _not_released(progress: ProgressCallback, words: str) -> None:
    hint = "until then, `clarifai-build unlock` takes it away"
    warn(progress, "lease-not-released", words, stage="lease", hint=hint)


def _acquire(
    store: ObjectStore, key: str, holder: Holder, progress: ProgressCallback, expiry: float
) -> str | None:
    """Return the ETag of the lease, or None where the store can't keep one."""
    try:
        etag = store.put_if(key, holder.body(), None)
        if etag is not None:
            return etag if _is_conditional(store, key, holder) else None
    except ConditionalWritesUnsupportedError:
        return None
    found = store.get(key)
    now = Holder.of(found.body) if found else None
    if found and now and now.id == holder.id:
        # This process's own request, sent again because its first answer was lost.
        return found.etag
    if found and now and found.age <= expiry:
        raise _held(now, found.age)
    etag = store.put_if(key, holder.body(), found.etag if found else None)
    if etag is None:
        raise _held(holder_of(store, key) or Holder.of(b""), 0.0)
    if now:
        progress(Event("lease", "done", f"taken over from {now}: it had expired"))
    return etag


def _is_conditional(store: ObjectStore, key: str, holder: Holder) -> bool:
    """Try to make the lease a second time: a store that takes it ignores conditions."""
    if store.put_if(key, holder.body(), None) is None:
        return True
    store.delete(key)
    return False


def _now() -> float:
    """Return seconds of a clock that also counts while the machine sleeps, where there is one."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def _held(holder: Holder, age: float) -> LeaseHeldError:
    return LeaseHeldError.of(
        "lease-held",
        f"another apply of this model is under way: {holder}, last renewed {age:.0f} s ago",
        hint=f"wait for it; should it be dead, its lease expires after {EXPIRY:.0f} s without a "
        "renewal, or `clarifai-build unlock` takes it away",
    )


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
