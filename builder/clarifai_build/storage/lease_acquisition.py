"""How a lease comes to one of those who want it: made, or taken over from who has died."""

from __future__ import annotations

from clarifai_build.errors import ConditionalWritesUnsupportedError, LeaseHeldError
from clarifai_build.progress import Event, ProgressCallback
from clarifai_build.storage import ObjectStore, SmallObject
from clarifai_build.storage.lease_holder import Holder

# Seconds. A CI job that was cancelled costs the next one a minute.
EXPIRY = 60.0


def holder_of(store: ObjectStore, key: str) -> Holder | None:
    """Return who holds the lease, if anyone does."""
    found = store.get(key)
    return Holder.of(found.body) if found else None


def acquire(
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
    dead = now is not None and now.process.is_dead()
    if found and now and found.age <= expiry and not dead:
        raise _held(now, found.age)
    etag = (
        _take_over(store, key, holder, found) if found else store.put_if(key, holder.body(), None)
    )
    if etag is None:
        raise _held(holder_of(store, key) or Holder.of(b""), 0.0)
    if now:
        why = "its process, on this machine, has ended" if dead else "it had expired"
        progress(Event("lease", "done", f"taken over from {now}: {why}"))
    return etag


def _take_over(store: ObjectStore, key: str, holder: Holder, found: SmallObject) -> str | None:
    """Replace a lease that nobody holds any more, unless another process is quicker."""
    try:
        return store.put_if(key, holder.body(), found.etag)
    except ConditionalWritesUnsupportedError:
        # Some stores know conditions only for what is made, not for what is replaced.
        again = store.get(key)
        if again and again.etag == found.etag:
            store.delete(key)
        return store.put_if(key, holder.body(), None)


def _is_conditional(store: ObjectStore, key: str, holder: Holder) -> bool:
    """Try to make the lease a second time: a store that takes it ignores conditions."""
    if store.put_if(key, holder.body(), None) is None:
        return True
    store.delete(key)
    return False


def _held(holder: Holder, age: float) -> LeaseHeldError:
    return LeaseHeldError.of(
        "lease-held",
        f"another apply of this model is under way: {holder}, last renewed {age:.0f} s ago",
        hint=f"wait for it; should it be dead, its lease expires after {EXPIRY:.0f} s without a "
        "renewal, or `clarifai-build unlock` takes it away",
    )
