"""What the steps of a plan need."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.registry import ModelRegistry
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.storage import ObjectStore, SentCallback, StoredObject, ignore_sent

if TYPE_CHECKING:
    from clarifai_build.storage.upload.copy_sources import CopySource


@dataclass(frozen=True, slots=True)
class ExecutionContext:
    """What the steps need. `check` raises when the lease is lost.

    Without a `store`, the artifact is kept nowhere but on the platform; `git` is what that shows.
    `sent` gets the progress of the upload, which may copy what lies in `sources`. `id` is recorded
    with what is made. `published` is told of the zip once it is proven to be public. `record`
    writes the records beside it, and adds their digests to a version's metadata.
    """

    store: ObjectStore | None
    registry: ModelRegistry
    progress: ProgressCallback = no_progress
    check: Callable[[], None] = lambda: None
    cancel: CancelToken = NEVER
    sent: SentCallback = ignore_sent
    sources: Sequence[CopySource] = ()
    published: Callable[[StoredObject], None] = lambda _stored: None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    record: Callable[[VersionMetadata], VersionMetadata] = lambda metadata: metadata
    git: Mapping[str, str] = field(default_factory=dict)

    def raise_if_stopped(self) -> None:
        """Raise when cancelled, or when the lease is lost: nothing may be changed any more."""
        self.cancel.check()
        self.check()

    def say(self, message: str) -> None:
        self.progress(Event("register", "running", message))
