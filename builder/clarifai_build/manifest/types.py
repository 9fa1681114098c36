"""The manifest as typed values, resolved and with every default filled in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from clarifai_build.errors import ManifestError

ParamType = Literal["boolean", "string", "number", "secret"]
InstanceKind = Literal["auto", "gpu", "cpu"]
Access = Literal["public", "public-read-acl", "presigned"]
Visibility = Literal["private", "org", "public"]
VersionPolicy = Literal["latest", "all"]
Compression = Literal["stored", "deflate"]
Reuse = Literal["auto", "never"]
Target = Literal["triton", "runner"]
RunnerPython = Literal["3.11", "3.12"]

FILE_NAME = "clarifai.yaml"
TARGETS: tuple[Target, ...] = get_args(Target)
TRIAL_IMAGE_BYTES = 16 << 20
"""The largest image file of `test.inputs`."""

FIELD_TYPES: dict[ParamType, int] = {"boolean": 1, "string": 2, "number": 3, "secret": 21}
"""The numbers of parameter types in Clarifai's API (ModelTypeField.field_type)."""

DEFAULT_PYTHON = "3.11"
"""For models that name none."""


@dataclass(frozen=True, slots=True)
class Model:
    """Which model this is. `labels` is a file, the labels themselves, or None."""

    id: str
    type: str
    description: str = ""
    labels: Path | tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """The user's folder, whose files land under `1/`, what they need, and how they are called."""

    path: Path
    requirements: Path | None = None
    python: str = DEFAULT_PYTHON
    exclude: tuple[str, ...] = ()
    allow_secrets: tuple[str, ...] = ()
    per_item: bool = False


@dataclass(frozen=True, slots=True)
class Weight:
    """A file that does not live in Git: its place under `1/`, where it comes from, its digest."""

    to: str
    source: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Shapes:
    """Dims the model type leaves open. `image` is (height, width) in pixels; -1 is any."""

    # -1 is what Triton calls a dimension of any size.
    image: tuple[int, int] = (-1, -1)
    embeddings: tuple[int, ...] = (-1,)


@dataclass(frozen=True, slots=True)
class DynamicBatching:
    """Triton's dynamic batcher. The delay is in microseconds."""

    max_queue_delay_microseconds: int = 0
    preferred_batch_size: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class InstanceGroup:
    """How many copies of the model run, and on what."""

    count: int = 1
    kind: InstanceKind = "auto"


@dataclass(frozen=True, slots=True)
class Triton:
    """How Triton serves it. `max_batch_size` and `ragged` default by model type and shape."""

    max_batch_size: int
    ragged: bool
    dynamic_batching: DynamicBatching = DynamicBatching()
    instance_group: InstanceGroup = InstanceGroup()
    isolate: bool = True
    streaming: bool = False
    warmup: bool = False
    response_cache: bool = False
    version_policy: VersionPolicy = "latest"
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Compute:
    """What one replica needs, in the quantities of Kubernetes: "500m", "2", "8Gi"."""

    cpu_limit: str = "1"
    cpu_memory: str = "2Gi"
    num_accelerators: int = 0
    accelerator_type: tuple[str, ...] = ()
    accelerator_memory: str = ""


@dataclass(frozen=True, slots=True)
class RunnerSecret:
    """The id of a secret in Clarifai, and the variable that carries it; never a value."""

    id: str
    env_var: str


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Weights that the platform fetches from a hub: what the repository holds then."""

    repo_id: str
    when: Literal["build", "runtime"] = "runtime"
    type: Literal["huggingface"] = "huggingface"


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where versions run. The delay is in seconds; `create` makes what is missing, of an instance
    type."""

    nodepool: str
    compute_cluster: str
    min_replicas: int = 0
    max_replicas: int = 1
    scale_down_delay: int = 300
    create: bool = False


@dataclass(frozen=True, slots=True)
class Runner:
    """What only target runner has. `instance` is an instance type's id, in place of `compute`."""

    python: RunnerPython = "3.12"
    compute: Compute = Compute()
    instance: str | None = None
    num_threads: int = 16
    secrets: tuple[RunnerSecret, ...] = ()
    image: str | None = None
    checkpoints: Checkpoints | None = None
    deployment: Deployment | None = None


@dataclass(frozen=True, slots=True)
class Param:
    """One inference parameter. `required` ones have no default; a secret never has one."""

    name: str
    type: ParamType
    default: bool | int | float | str | None = None
    description: str = ""

    @property
    def required(self) -> bool:
        return self.default is None


@dataclass(frozen=True, slots=True)
class TrialInput:
    """An input to try the model with: a text, an image file, or both."""

    text: str | None = None
    image: Path | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What the model is asked once it is ready. Without inputs, it is its type's smallest one."""

    inputs: tuple[TrialInput, ...] = ()
    params: tuple[tuple[str, bool | int | float | str], ...] = ()


@dataclass(frozen=True, slots=True)
class Storage:
    """An S3-compatible bucket and how anonymous clients reach what is in it."""

    bucket: str
    prefix: str = ""
    region: str | None = None
    endpoint_url: str | None = None
    access: Access = "public"
    public_base_url: str | None = None
    checksums: Literal["auto", "when_required"] = "auto"
    type: Literal["s3"] = "s3"
    reuse: Reuse = "auto"


@dataclass(frozen=True, slots=True)
class Clarifai:
    """Where the model is registered. What is None comes from the environment or a context."""

    user_id: str | None = None
    app_id: str | None = None
    api_base: str | None = None
    visibility: Visibility = "private"


@dataclass(frozen=True, slots=True)
class Zip:
    """How the zip of the artifact is written."""

    compression: Compression = "stored"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One `clarifai.yaml`. Paths in it are absolute.

    `runner` is set exactly where the target is runner; `code.python` is `runner.python` there.
    `published_to` stands in for `storage` where the artifact goes elsewhere, to the sandbox.
    """

    path: Path
    model: Model
    code: Code
    triton: Triton
    shapes: Shapes = Shapes()
    weights: tuple[Weight, ...] = ()
    params: tuple[Param, ...] = ()
    test: Trial = Trial()
    storage: Storage | None = None
    clarifai: Clarifai = Clarifai()
    project: str | None = None
    artifact: Zip = Zip()
    version: int = 1
    published_to: Storage | None = None
    target: Target = "triton"
    runner: Runner | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the artifact is kept in a bucket: a runner's may go to the platform alone."""
        return self.target == "triton" or (self.published_to or self.storage) is not None

    @property
    def destination(self) -> Storage:
        """Where the artifact is published; raises ManifestError where the manifest does not say."""
        storage = self.published_to or self.storage
        if storage is None:
            # A runner's is not needed in the sandbox either.
            locally = ", or try it locally with --sandbox" if self.target == "triton" else ""
            raise ManifestError.of(
                "storage-missing",
                "the manifest does not say where the artifact is published",
                file=str(self.path),
                hint=f"add 'storage: {{type: s3, bucket: …}}'{locally}",
            )
        return storage
