"""Who uses an artifact: claims beside it, one for each user, app and model that registered it.

Several apps may share a bucket and even a zip. An apply lays down its claim before it looks whether
the zip is there; a removal announces itself before it looks for claims. Whichever comes first, one
of the two sees the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from clarifai_build.errors import StorageError
from clarifai_build.storage import ObjectStore

_CLAIMS = "used-by"
_REMOVAL = "being-removed"
REMOVAL_SECONDS = 600.0
"""After how long an announced removal counts as dead."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A model of an app (`scope` is its user and app, as a path) that uses an artifact."""

    scope: str
    model: str


def folder_of(zip_key: str) -> str:
    """Return the folder of a zip, in which all that belongs to it lies; ends with a slash."""
    return zip_key.rpartition("/")[0] + "/"


def lay_claim(store: ObjectStore, zip_key: str, scope: str, model: str) -> None:
    """Keep the zip at a key from being removed; raises StorageError while that happens."""
    folder = folder_of(zip_key)
    store.write(key_of(folder, Claim(scope, model)), b"")
    removal = store.get(folder + _REMOVAL)
    if removal is None:
        return
    if removal.age < REMOVAL_SECONDS:
        raise StorageError.of(
            "artifact-being-removed",
            f"{zip_key} is being removed by `clarifai-build gc`",
            hint="apply again in a moment: it is then uploaded anew",
        )
    store.delete(folder + _REMOVAL)


def key_of(folder: str, claim: Claim) -> str:
    """Return where a claim on what lies in `folder` is laid down."""
    return f"{folder}{_CLAIMS}/{claim.scope}/{claim.model}"


def claim_in(key: str) -> Claim | None:
    """Return the claim that a key stands for, or None for other objects."""
    _, mark, rest = key.rpartition(f"/{_CLAIMS}/")
    scope, _, model = rest.rpartition("/")
    return Claim(scope, model) if mark and scope and model else None


def announce_removal(store: ObjectStore, folder: str) -> bool:
    """Announce that `folder` is about to go; False where another removal is under way."""
    key = folder + _REMOVAL
    if store.put_if(key, b"", None) is not None:
        return True
    found = store.get(key)
    if found is None or found.age < REMOVAL_SECONDS:
        return False
    return store.put_if(key, b"", found.etag) is not None


def end_removal(store: ObjectStore, folder: str) -> None:
    """Take the announcement back: the folder is gone, or stays."""
    store.delete(folder + _REMOVAL)


def is_removal(key: str) -> bool:
    """Say whether a key is that of an announcement."""
    return key.endswith(f"/{_REMOVAL}")
