"""Where models are registered: the `ModelRegistry` protocol and what it speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from clarifai_build.manifest import Param, Visibility
from clarifai_build.registry.status import Health, health

MARK = "clarifai_build"
"""The key in a version's metadata under which everything this tool knows of it stands."""


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model as the platform has it. `managed` says that this tool made or adopted it."""

    id: str
    type: str
    description: str
    visibility: Visibility
    managed: bool


@dataclass(frozen=True, slots=True)
class RemoteVersion:
    """A model version as the platform has it. `mark` is empty where this tool did not make it."""

    id: str
    status_code: int
    status: str
    details: str = ""
    request_id: str = ""
    description: str = ""
    zip_url: str = ""
    visibility: Visibility = "private"
    created_at: float = 0.0
    mark: Mapping[str, Any] = field(default_factory=dict)

    @property
    def health(self) -> Health:
        return health(self.status_code)

    @property
    def registration(self) -> str | None:
        """The digest of all that was registered, or None where the version is not ours."""
        return self.mark.get("registration")

    @property
    def artifact(self) -> str | None:
        """The tree digest of the registered artifact."""
        return self.mark.get("artifact")


@dataclass(frozen=True, slots=True)
class NewModel:
    """What is asked for when a model is made."""

    id: str
    type: str
    description: str
    visibility: Visibility


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What is asked for when a version is registered."""

    zip_url: str
    input_fields_map: Mapping[str, str]
    output_fields_map: Mapping[str, str]
    params: tuple[Param, ...]
    description: str
    visibility: Visibility
    mark: Mapping[str, Any]


class ModelRegistry(Protocol):
    """One app of one user. Errors are `RegistryError` or `NotAuthorisedError`."""

    def model(self, model_id: str) -> RemoteModel | None:
        """Return the model, or None where there is none."""

    def create_model(self, new: NewModel) -> RemoteModel:
        """Make the model; where someone else just made it, return theirs."""

    def update_model(self, new: NewModel) -> None:
        """Set description and visibility, and mark the model as managed."""

    def versions(self, model_id: str) -> tuple[RemoteVersion, ...]:
        """Return all versions, newest first."""

    def version(self, model_id: str, version_id: str) -> RemoteVersion | None:
        """Return one version, or None where there is none."""

    def create_version(self, model_id: str, new: NewVersion) -> RemoteVersion:
        """Register a version and return it as the platform answers; it is not ready yet."""

    def delete_version(self, model_id: str, version_id: str) -> None:
        """Remove a version; one that is gone already is no error."""
