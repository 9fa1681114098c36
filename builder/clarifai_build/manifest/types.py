"""The manifest as typed values, resolved and with every default filled in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from clarifai_build import checks, source_checks
from clarifai_build.errors import ManifestError, Problem
from clarifai_build.manifest import environment
from clarifai_build.manifest.document import Document, read
from clarifai_build.manifest.yaml_reader import Value
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.validation import schema_problems

ParamType = Literal["boolean", "string", "number", "secret"]
InstanceKind = Literal["auto", "gpu", "cpu"]
Access = Literal["public", "public-read-acl", "presigned"]
Visibility = Literal["private", "org", "public"]
VersionPolicy = Literal["latest", "all"]
Compression = Literal["stored", "deflate"]

FILE_NAME = "clarifai.yaml"
DEFAULT_MAX_BATCH_SIZE = 8


@dataclass(frozen=True, slots=True)
class Model:
    """Which model this is. `labels` is a file, the labels themselves, or None."""

    id: str
    type: str
    description: str = ""
    labels: Path | tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """The user's folder, whose files land under `1/`, and what they need."""

    path: Path
    requirements: Path | None = None
    python: str = "3.11"
    exclude: tuple[str, ...] = ()
    allow_secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Weight:
    """A file that does not live in Git: its place under `1/`, where it comes from, its digest."""

    to: str
    source: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Shapes:
    """Dims the model type leaves open. `image` is (height, width) in pixels; -1 is any."""

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
class Storage:
    """An S3-compatible bucket and how strangers reach what is in it."""

    bucket: str
    prefix: str = ""
    region: str | None = None
    endpoint_url: str | None = None
    access: Access = "public"
    public_base_url: str | None = None
    checksums: Literal["auto", "when_required"] = "auto"
    type: Literal["s3"] = "s3"


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

    `published_to` stands in for `storage` where the artifact goes elsewhere, to the sandbox.
    """

    path: Path
    model: Model
    code: Code
    triton: Triton
    shapes: Shapes = Shapes()
    weights: tuple[Weight, ...] = ()
    params: tuple[Param, ...] = ()
    storage: Storage | None = None
    clarifai: Clarifai = Clarifai()
    project: str | None = None
    artifact: Zip = Zip()
    version: int = 1
    published_to: Storage | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """A manifest with all that was found in it; the manifest is None where there are errors."""

    document: Document | None
    manifest: Manifest | None
    problems: tuple[Problem, ...]
    origins: Mapping[tuple[str | int, ...], str]

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "error")


def load(path: Path, environ: Mapping[str, str], *, offline: bool = False) -> Manifest:
    """Load the manifest at `path`, a file or a folder that holds `clarifai.yaml`.

    Raise ManifestError with every problem at once. With `offline`, environment variables that only
    storage and clarifai name may be unset; their references then stay as they are written.
    """
    examined = examine(path, environ, offline=offline)
    if examined.manifest is None:
        raise ManifestError(*examined.errors)
    return examined.manifest


def examine(path: Path, environ: Mapping[str, str], *, offline: bool = False) -> Examined:
    """Read the manifest at `path` and check it, the schema first, then all that it can't say."""
    if os.path.isdir(path):  # noqa: PTH112 - unlike Path's, False where it may not be looked at
        path = path / FILE_NAME
    try:
        document = read(path)
    except ManifestError as error:
        return Examined(None, None, error.problems, {})
    return examine_document(document, path, environ, offline=offline)


def examine_document(
    document: Document, path: Path, environ: Mapping[str, str], *, offline: bool = False
) -> Examined:
    """Check a document as if it stood at `path`."""
    resolved = environment.resolve(document, environ, offline=offline)
    document, path = resolved.document, path.resolve()
    found = [
        *document.problems,
        *resolved.problems,
        *schema_problems(document),
        *checks.problems(document),
        *source_checks.problems(document, path.parent),
    ]
    found.sort(
        key=lambda problem: (problem.file != document.name, problem.line or 0, problem.column or 0)
    )
    failed = any(problem.severity == "error" for problem in found)
    manifest = None if failed else from_document(document, path)
    return Examined(document, manifest, tuple(found), resolved.origins)


def from_document(document: Document, path: Path) -> Manifest:
    """Turn a document that passed every check into a manifest, and fill in the defaults."""
    data: dict[str, Any] = document.data
    base = path.parent
    shapes = _shapes(data.get("shapes", {}))
    return Manifest(
        path=path,
        model=_model(data["model"], base),
        code=_code(data.get("code", {}), base),
        triton=_triton(data.get("triton", {}), data["model"]["type"], shapes),
        shapes=shapes,
        weights=tuple(_weight(weight) for weight in data.get("weights", ())),
        params=tuple(Param(**param) for param in data.get("params", ())),
        storage=_storage(data["storage"]) if "storage" in data else None,
        clarifai=Clarifai(**data.get("clarifai", {})),
        project=data.get("project"),
        artifact=Zip(**data.get("artifact", {})),
    )


def _model(data: dict[str, Any], base: Path) -> Model:
    labels: Value = data.get("labels")
    if isinstance(labels, str):
        labels = base / labels
    elif labels is not None:
        labels = tuple(labels)
    return Model(data["id"], data["type"], data.get("description", ""), labels)


def _code(data: dict[str, Any], base: Path) -> Code:
    folder = (base / data.get("path", ".")).resolve()
    requirements: Path | None = folder / "requirements.txt"
    if "requirements" in data:
        requirements = base / data["requirements"]
    elif not (folder / "requirements.txt").is_file():
        requirements = None
    return Code(
        folder,
        requirements,
        data.get("python", "3.11"),
        tuple(data.get("exclude", ())),
        tuple(data.get("allow_secrets", ())),
    )


def _weight(data: dict[str, Any]) -> Weight:
    return Weight(to=data["to"], source=data["from"], sha256=data["sha256"])


def _shapes(data: dict[str, Any]) -> Shapes:
    default = Shapes()
    height, width = data.get("image", default.image)
    embeddings = data.get("embeddings", default.embeddings)
    return Shapes((int(height), int(width)), tuple(int(dim) for dim in embeddings))


def _triton(data: dict[str, Any], type_name: str, shapes: Shapes) -> Triton:
    model_type = MODEL_TYPES[type_name]
    batching = data.get("dynamic_batching", {})
    group = data.get("instance_group", {})
    rest = {
        key: data[key]
        for key in ("isolate", "streaming", "warmup", "response_cache", "version_policy")
        if key in data
    }
    return Triton(
        max_batch_size=int(
            data.get("max_batch_size", 1 if model_type.generates else DEFAULT_MAX_BATCH_SIZE)
        ),
        ragged=data.get("ragged", model_type.has_image_input and -1 in shapes.image),
        dynamic_batching=DynamicBatching(
            int(batching.get("max_queue_delay_microseconds", 0)),
            tuple(int(size) for size in batching.get("preferred_batch_size", ())),
        ),
        instance_group=InstanceGroup(int(group.get("count", 1)), group.get("kind", "auto")),
        parameters=tuple(sorted(data.get("parameters", {}).items())),
        **rest,
    )


def _storage(data: dict[str, Any]) -> Storage:
    return Storage(**{**data, "prefix": data.get("prefix", "").strip("/")})
