"""Where models are registered: the `ModelRegistry` protocol and what it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from clarifai_build.errors import RegistryError
from clarifai_build.manifest.types import Param, Visibility
from clarifai_build.registry.status_codes import Health, health

MARK = "clarifai_build"
"""The key in a version's metadata under which everything this tool knows of it stands."""


class NoAnswerError(RegistryError):
    """A call that must not run twice got no answer: it may have been carried out, or may yet be."""


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
    input_fields_map: Mapping[str, str] = field(default_factory=dict)
    output_fields_map: Mapping[str, str] = field(default_factory=dict)
    params: tuple[Param, ...] = ()

    @property
    def health(self) -> Health:
        return health(self.status_code)

    @property
    def registration(self) -> str | None:
        """The digest of all that was registered, or None where the version is not ours."""
        return self._text("registration")

    @property
    def artifact(self) -> str | None:
        """The tree digest of the registered artifact."""
        return self._text("artifact")

    @property
    def crc32(self) -> str:
        """The CRC-32 of the published zip as eight hex digits, or nothing where it is not known."""
        return str(self.mark.get("crc32", ""))

    @property
    def apply(self) -> str | None:
        """The id of the apply that registered it."""
        return self._text("apply")

    @property
    def revision(self) -> int:
        """Which version of ours it is, counted from 1 for each model; 0 where it is not ours."""
        return self._number("revision")

    @property
    def size(self) -> int:
        """How many bytes the published zip has; 0 where it is not known."""
        return self._number("size")

    def _text(self, name: str) -> str | None:
        """Read the mark, which anyone may have written, as everywhere below."""
        value = self.mark.get(name)
        return value if isinstance(value, str) else None

    def _number(self, name: str) -> int:
        try:
            return max(int(self.mark.get(name, 0)), 0)
        except (TypeError, ValueError, OverflowError):
            return 0


def next_revision(versions: Iterable[RemoteVersion]) -> int:
    """Return the revision of the version that comes after these."""
    return 1 + max((version.revision for version in versions), default=0)


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

    @property
    def scope(self) -> str:
        """The user and the app, as a path."""

    def model(self, model_id: str) -> RemoteModel | None:
        """Return the model, or None where there is none."""

    def models(self) -> tuple[RemoteModel, ...]:
        """Return all models of the app."""

    def create_model(self, new: NewModel) -> RemoteModel:
        """Make the model; where someone else just made it, return theirs."""

    def update_model(self, new: NewModel) -> None:
        """Set description and visibility, and mark the model as managed."""

    def delete_model(self, model_id: str) -> None:
        """Remove a model and its versions; one that is gone already is no error."""

    def versions(self, model_id: str) -> tuple[RemoteVersion, ...]:
        """Return all versions, newest first."""

    def version(self, model_id: str, version_id: str) -> RemoteVersion | None:
        """Return one version, or None where there is none."""

    def create_version(self, model_id: str, new: NewVersion) -> RemoteVersion:
        """Register a version and return it as the platform answers; it is not ready yet.

        Raises NoAnswerError when the platform may or may not have registered it.
        """

    def update_version(
        self, model_id: str, version_id: str, new: NewModel, mark: Mapping[str, Any]
    ) -> None:
        """Set a version's mark, and its description and visibility to those of the model."""

    def delete_version(self, model_id: str, version_id: str) -> None:
        """Remove a version; one that is gone already is no error."""
