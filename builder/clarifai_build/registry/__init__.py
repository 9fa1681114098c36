"""Where models are registered: the `ModelRegistry` protocol and what it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from clarifai_build.errors import RegistryError
from clarifai_build.manifest.types import Param, Visibility
from clarifai_build.registry.runners.protocol import Declaration, RunnerRegistry
from clarifai_build.registry.status_codes import Health, health
from clarifai_build.registry.version_metadata import NO_METADATA, VersionMetadata


class NoAnswerError(RegistryError):
    """A call that must not run twice got no answer: it may have been carried out, or may yet be."""


class DeadlineError(NoAnswerError):
    """It got none within its time."""


class BrokenStreamError(NoAnswerError):
    """A stream broke, or its answers do not add up: another one may do better."""


class PredictionFailedError(RegistryError):
    """A version was asked and gave no answer. The message is the model's or the platform's."""


class NotDeployedError(RegistryError):
    """A version is ready, and nothing serves it."""


class NotServedYetError(RegistryError):
    """A version can't be asked yet: it is being deployed, loaded, or busy."""


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model as the platform has it. `managed` says that this tool made or adopted it.

    `newest` is the id of its newest version, where the platform names one.
    """

    id: str
    type: str
    description: str
    visibility: Visibility
    managed: bool
    newest: str = ""


@dataclass(frozen=True, slots=True)
class RemoteVersion:
    """A model version as the platform has it. `metadata` is what this tool recorded there, if any.

    "Made by this tool" has two meanings, which differ by what the legacy `upload-model` registers:
    a zip from elsewhere. Whatever is replaced, updated or destroyed has to be
    registered by this tool (`is_ours`). Whatever is named, rebuilt, compared or gone back to has
    to be built by it, too (`has_artifact`). A runner's version has a `declaration`, and no URL.
    """

    id: str
    status_code: int
    status: str
    details: str = ""
    request_id: str = ""
    description: str = ""
    zip_url: str = ""
    visibility: Visibility = "private"
    created_at: float = 0.0
    metadata: VersionMetadata | None = None
    input_fields_map: Mapping[str, str] = field(default_factory=dict)
    output_fields_map: Mapping[str, str] = field(default_factory=dict)
    params: tuple[Param, ...] = ()
    declaration: Declaration | None = None

    @property
    def health(self) -> Health:
        return health(self.status_code)

    @property
    def is_ours(self) -> bool:
        """Whether this tool registered it: its metadata, however old or new, are there."""
        return self.metadata is not None

    @property
    def has_artifact(self) -> bool:
        """Whether this tool built its zip, too: the digest of the artifact is recorded."""
        return bool(self.artifact_digest)

    @property
    def recorded(self) -> VersionMetadata:
        """The metadata, empty where this tool did not register the version."""
        return self.metadata or NO_METADATA

    @property
    def registration_digest(self) -> str | None:
        """The digest of all that was registered, or None where this tool did not register it."""
        return self.recorded.registration_digest

    @property
    def artifact_digest(self) -> str | None:
        """The tree digest of the registered artifact."""
        return self.recorded.artifact_digest

    @property
    def revision(self) -> int:
        """Its number among the versions that this tool made of the model, from 1; 0 if unknown."""
        return self.recorded.revision or 0

    @property
    def size(self) -> int:
        """How many bytes the published zip has; 0 where it is not known."""
        return self.recorded.size or 0


def next_revision(versions: Iterable[RemoteVersion]) -> int:
    """Return the revision of the version that comes after these."""
    return 1 + max((version.revision for version in versions), default=0)


@dataclass(frozen=True, slots=True)
class PredictionInput:
    """What a model is asked about: a text, the bytes of an image file, or both."""

    text: str | None = None
    image: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewModel:
    """What is asked for when a model is made."""

    id: str
    type: str
    description: str
    visibility: Visibility


class VersionContent(Protocol):
    """What a version is besides its zip: a registration wants it, a remote version has it."""

    @property
    def input_fields_map(self) -> Mapping[str, str]: ...
    @property
    def output_fields_map(self) -> Mapping[str, str]: ...
    @property
    def params(self) -> tuple[Param, ...]: ...
    @property
    def description(self) -> str: ...
    @property
    def visibility(self) -> Visibility: ...


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What is asked for when a version is registered."""

    zip_url: str
    input_fields_map: Mapping[str, str]
    output_fields_map: Mapping[str, str]
    params: tuple[Param, ...]
    description: str
    visibility: Visibility
    metadata: VersionMetadata

    @classmethod
    def of(cls, content: VersionContent, zip_url: str, metadata: VersionMetadata) -> NewVersion:
        """Ask for a version with this content, whose zip lies at a URL."""
        return cls(
            zip_url=zip_url,
            input_fields_map=content.input_fields_map,
            output_fields_map=content.output_fields_map,
            params=content.params,
            description=content.description,
            visibility=content.visibility,
            metadata=metadata,
        )


class ModelRegistry(Protocol):
    """One app of one user. Errors are `RegistryError` or `NotAuthorisedError`."""

    @property
    def runners(self) -> RunnerRegistry:
        """What only runner models need, of the same app."""

    @property
    def scope(self) -> str:
        """The user and the app, as a path."""

    def model(self, model_id: str) -> RemoteModel | None:
        """Return the model, or None where there is none."""

    def models(self) -> tuple[RemoteModel, ...]:
        """Return all models of the app."""

    def create_model(self, new: NewModel) -> RemoteModel:
        """Make the model; where another process just made it, return that one."""

    def update_model(self, new: NewModel) -> None:
        """Set description and visibility, and note that the model is managed."""

    def delete_model(self, model_id: str) -> None:
        """Remove a model and its versions; one that is gone already is not an error."""

    def versions(self, model_id: str) -> tuple[RemoteVersion, ...]:
        """Return all versions, newest first."""

    def version(self, model_id: str, version_id: str) -> RemoteVersion | None:
        """Return one version, or None where there is none."""

    def create_version(self, model_id: str, new: NewVersion) -> RemoteVersion:
        """Register a version and return it as the platform answers; it is not ready yet.

        Raises NoAnswerError when the platform may or may not have registered it.
        """

    def update_version(
        self, model_id: str, version_id: str, new: NewModel, metadata: VersionMetadata
    ) -> None:
        """Set a version's metadata, and its description and visibility to those of the model."""

    def delete_version(self, model_id: str, version_id: str) -> None:
        """Remove a version; one that is gone already is not an error."""

    def ask(
        self,
        model_id: str,
        version_id: str,
        inputs: Sequence[PredictionInput],
        params: Mapping[str, bool | float | str],
        timeout: float,
    ) -> None:
        """Ask a version for one prediction, whose answer is thrown away; `timeout` is in seconds.

        Raises PredictionFailedError where it does not answer every input, NotServedYetError where
        it can't be asked yet, and RegistryError where nobody can ask it.
        """
