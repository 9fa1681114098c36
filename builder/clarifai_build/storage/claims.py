"""Who uses an artifact: claims beside it, one for each user, app and model that registered it.

Several apps may share a bucket and even a zip. An apply lays down its claim before it looks whether
the zip is there; a removal announces itself before it looks for claims. Whichever comes first, one
of the two sees the other.
"""

from __future__ import annotations

import uuid

from clarifai_build.errors import StorageError
from clarifai_build.storage import ObjectStore
from clarifai_build.storage.keys import Claim, artifact_folder, claim_key, removal_key

REMOVAL_SECONDS = 600.0
"""After how long an announced removal counts as dead."""


def lay_claim(store: ObjectStore, zip_key: str, scope: str, model: str) -> None:
    """Keep the zip at a key from being removed; raises StorageError while that happens."""
    folder = artifact_folder(zip_key)
    store.write(claim_key(folder, Claim(scope, model)), b"")
    removal = store.get(removal_key(folder))
    if removal is None:
        return
    if removal.age < REMOVAL_SECONDS:
        raise StorageError.of(
            "artifact-being-removed",
            f"{zip_key} is being removed by `clarifai-build gc`",
            hint="apply again in a moment: it is then uploaded anew",
        )
    # That removal died without taking its mark away.
    store.delete(removal_key(folder))


def announce_removal(store: ObjectStore, folder: str) -> bool:
    """Announce that `folder` is about to go; False where another removal is under way."""
    key = removal_key(folder)
    # No two alike: where the ETag is the MD5 of the content, equal ones could not be distinguished.
    body = uuid.uuid4().hex.encode()
    if store.put_if(key, body, None) is not None:
        return True
    found = store.get(key)
    if found is None or found.age < REMOVAL_SECONDS:
        return False
    return store.put_if(key, body, found.etag) is not None


def end_removal(store: ObjectStore, folder: str) -> None:
    """Withdraw the announcement: the folder is gone, or stays."""
    store.delete(removal_key(folder))
