"""Content that an artifact lacks: whether an apply needs it, and how it comes by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.deploy.planning import Plan
from clarifai_build.manifest.types import Manifest
from clarifai_build.storage import StoredObject, is_proven

if TYPE_CHECKING:
    from clarifai_build.storage.upload.copy_sources import CopySource

WeightSources: TypeAlias = Callable[[Artifact], "Sequence[CopySource]"]
"""Returns the objects of the store that each hold a weight of an artifact, and nothing else."""


@dataclass(frozen=True, slots=True)
class ContentSource:
    """How an apply comes by content that its artifact lacks: `fetch` makes it once more, whole.

    `lacks_record` says of a zip, and what the store says of it, whether its record was looked for
    and is not there, so that it is worth writing. `settle` is called under the lease, before
    anything is uploaded, to put on record what this machine has read.
    """

    fetch: Callable[[], Artifact]
    lacks_record: Callable[[str, StoredObject | None], bool] = lambda _zip_key, _stored: False
    settle: Callable[[Artifact], None] = lambda _artifact: None


def whole(artifact: Artifact, contents: ContentSource | None) -> Artifact:
    """Return the artifact with all content; raises AbsentContentError where nobody can fetch it."""
    if contents is None:
        raise artifact.absence()
    return contents.fetch()


def needs_content(
    planned: Plan, manifest: Manifest, artifact: Artifact, sources: Sequence[CopySource]
) -> bool:
    """Return whether a plan can't be carried out without the content that an artifact lacks."""
    if not (planned.writes and artifact.missing):
        return False
    # The platform is sent all of it.
    if planned.registration.target == "runner" and planned.wants("create-version"):
        return True
    stored = planned.observed.stored
    if stored is None or planned.wants("upload"):
        # What only an upload needs.
        from clarifai_build.storage.upload.copy_sources import covers, may_copy

        return not (may_copy(manifest.destination) and covers(artifact, sources))
    # A zip that is there serves a new version, if it is the one by the store's own checksum.
    return planned.wants("create-version") is not None and not is_proven(stored, artifact)
