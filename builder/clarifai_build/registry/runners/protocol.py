"""The `RunnerRegistry` protocol, beside `ModelRegistry`, and what it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from clarifai_build.cancellation import CancelToken
from clarifai_build.manifest.types import Deployment, Param, Visibility
from clarifai_build.progress import ProgressCallback
from clarifai_build.registry.version_metadata import VersionMetadata


class Declaration(Protocol):
    """What a version is declared as, beside its files.

    Messages are mappings by the names of their fields: `compute` is a ComputeInfo, `signatures`
    are MethodSignatures, `secrets` are {id, env_var, type}. `instance` is the id of an instance
    type, whose compute stands in for `compute`.
    """

    @property
    def compute(self) -> Mapping[str, Any]: ...
    @property
    def concepts(self) -> tuple[str, ...]: ...
    @property
    def signatures(self) -> tuple[Mapping[str, Any], ...]: ...
    @property
    def num_threads(self) -> int: ...
    @property
    def platform(self) -> str: ...
    @property
    def secrets(self) -> tuple[Mapping[str, str], ...]: ...
    @property
    def instance(self) -> str | None: ...


class UploadContent(Protocol):
    """Bytes that are read when they are sent: of an artifact, or of an object in a bucket."""

    @property
    def size(self) -> int: ...
    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`."""


@dataclass(frozen=True, slots=True)
class NewRunnerVersion:
    """What is asked for when a runner's version is uploaded.

    `unpacked_size` is what the files take on the platform, in bytes. `git` is the commit, the
    branch and the URL that the platform shows.
    """

    declaration: Declaration
    params: tuple[Param, ...]
    description: str
    visibility: Visibility
    metadata: VersionMetadata
    unpacked_size: int
    git: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemoteDeployment:
    """A deployment as the platform has it; `spec.create` says nothing here.

    `live` replicas are up, of the `desired` ones.
    """

    id: str
    model_id: str
    version_id: str
    spec: Deployment
    desired: int = 0
    live: int = 0


@dataclass(frozen=True, slots=True)
class InstanceType:
    """A kind of machine, and what a runner on it may take: a ComputeInfo, as a mapping."""

    id: str
    cloud: str
    region: str
    compute: Mapping[str, Any]


class BuildLog(Protocol):
    """What the platform's builder prints about one version."""

    def new_lines(self) -> Iterable[str]:
        """Return the lines that came since the last call."""


class RunnerRegistry(Protocol):
    """What only runner models need. Errors are `RegistryError` or `NotAuthorisedError`."""

    def upload_version(
        self,
        model_id: str,
        new: NewRunnerVersion,
        content: UploadContent,
        progress: ProgressCallback,
        cancel: CancelToken,
    ) -> str:
        """Upload a version, and return its id; it is not built yet.

        A stream that breaks is begun anew, after a look whether it left a version. Raises
        NoAnswerError when the platform may or may not have made one.
        """

    def build_log(self, model_id: str, version_id: str) -> BuildLog:
        """Return the log of a version's build; nothing is read yet."""

    def has_cluster(self, cluster: str) -> bool:
        """Return whether the user has this compute cluster."""

    def has_nodepool(self, cluster: str, nodepool: str) -> bool:
        """Return whether the compute cluster has this nodepool."""

    def instance_type(self, instance: str) -> InstanceType | None:
        """Return an instance type, or None where the platform has none of this id."""

    def create_cluster(self, cluster: str, instance: InstanceType) -> None:
        """Make a compute cluster where an instance type is at home."""

    def create_nodepool(
        self, cluster: str, nodepool: str, instance: InstanceType, most: int
    ) -> None:
        """Make a nodepool of one instance type, of at most so many instances."""

    def deployment(self, model_id: str) -> RemoteDeployment | None:
        """Return the deployment of a model that this tool made, or None."""

    def deploy(self, deployment: RemoteDeployment, *, anew: bool) -> None:
        """Make a deployment, or overwrite the one of its id."""

    def delete_deployment(self, deployment_id: str) -> None:
        """Remove a deployment; one that is gone already is not an error."""
