"""From a document that passed every check to a manifest, with every default filled in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from clarifai_build.manifest.document import Document
from clarifai_build.manifest.types import (
    Checkpoints,
    Clarifai,
    Code,
    Compute,
    Deployment,
    DynamicBatching,
    InstanceGroup,
    Manifest,
    Model,
    Param,
    Runner,
    RunnerSecret,
    Shapes,
    Storage,
    Trial,
    TrialInput,
    Triton,
    Weight,
    Zip,
)
from clarifai_build.manifest.yaml_reader import Value
from clarifai_build.model_types import MODEL_TYPES, default_max_batch_size
from clarifai_build.repository_layout import REQUIREMENTS
from clarifai_build.util.real_paths import real_in


def from_document(document: Document, path: Path) -> Manifest:
    """Turn a document that passed every check into a manifest, and fill in the defaults.

    `path` is where it lies, without symbolic links.
    """
    data: dict[str, Any] = document.data
    base = path.parent
    target = data.get("target", "triton")
    code = _code(data.get("code", {}), base)
    runner = _runner(data) if target == "runner" else None
    shapes = _shapes(data.get("shapes", {}))
    return Manifest(
        path=path,
        model=_model(data["model"], base),
        code=replace(code, python=runner.python) if runner else code,
        triton=_triton(data.get("triton", {}), data["model"]["type"], shapes),
        shapes=shapes,
        weights=tuple(_weight(weight) for weight in data.get("weights", ())),
        params=tuple(Param(**param) for param in data.get("params", ())),
        test=_trial(data.get("test", {}), base),
        storage=_storage(data["storage"]) if "storage" in data else None,
        clarifai=Clarifai(**data.get("clarifai", {})),
        project=data.get("project"),
        artifact=Zip(**data.get("artifact", {})),
        target=target,
        runner=runner,
    )


def _model(data: dict[str, Any], base: Path) -> Model:
    labels: Value = data.get("labels")
    if isinstance(labels, str):
        labels = base / labels
    elif labels is not None:
        labels = tuple(labels)
    return Model(data["id"], data["type"], labels=labels, **_given(data, "description"))


def _code(data: dict[str, Any], base: Path) -> Code:
    folder = Path(real_in(str(base), data.get("path", ".")))
    requirements: Path | None = folder / REQUIREMENTS
    if "requirements" in data:
        requirements = base / data["requirements"]
    elif not (folder / REQUIREMENTS).is_file():
        requirements = None
    return Code(
        folder,
        requirements,
        exclude=tuple(data.get("exclude", ())),
        allow_secrets=tuple(data.get("allow_secrets", ())),
        **_given(data, "python", "per_item"),
    )


def _weight(data: dict[str, Any]) -> Weight:
    return Weight(to=data["to"], source=data["from"], sha256=data["sha256"])


def _shapes(data: dict[str, Any]) -> Shapes:
    default = Shapes()
    height, width = data.get("image", default.image)
    embeddings = data.get("embeddings", default.embeddings)
    # To the schema, as to JSON Schema, 224.0 is an integer.
    return Shapes((int(height), int(width)), tuple(int(dim) for dim in embeddings))


def _triton(data: dict[str, Any], type_name: str, shapes: Shapes) -> Triton:
    model_type = MODEL_TYPES[type_name]
    rest = ("isolate", "streaming", "warmup", "response_cache", "version_policy")
    return Triton(
        max_batch_size=int(data.get("max_batch_size", default_max_batch_size(model_type))),
        ragged=data.get("ragged", model_type.has_image_input and -1 in shapes.image),
        dynamic_batching=_dynamic_batching(data.get("dynamic_batching", {})),
        instance_group=_instance_group(data.get("instance_group", {})),
        # Sorted, since the order of keys in YAML must not change the artifact.
        parameters=tuple(sorted(data.get("parameters", {}).items())),
        **_given(data, *rest),
    )


def _dynamic_batching(data: dict[str, Any]) -> DynamicBatching:
    default = DynamicBatching()
    delay = data.get("max_queue_delay_microseconds", default.max_queue_delay_microseconds)
    sizes = data.get("preferred_batch_size", default.preferred_batch_size)
    return DynamicBatching(int(delay), tuple(int(size) for size in sizes))


def _instance_group(data: dict[str, Any]) -> InstanceGroup:
    default = InstanceGroup()
    return InstanceGroup(int(data.get("count", default.count)), data.get("kind", default.kind))


def _runner(data: dict[str, Any]) -> Runner:
    given: dict[str, Any] = data.get("runner", {})
    # What a manifest for Triton says of its Python holds here, too, until this section says else.
    python = _given(data.get("code", {}), "python") | _given(given, "python")
    rest = _given(given, "instance", "image")
    return Runner(
        compute=_compute(given.get("compute", {})),
        num_threads=int(given.get("num_threads", Runner().num_threads)),
        secrets=tuple(RunnerSecret(**secret) for secret in given.get("secrets", ())),
        checkpoints=Checkpoints(**given["checkpoints"]) if "checkpoints" in given else None,
        deployment=_deployment(given["deployment"]) if "deployment" in given else None,
        **(python | rest),
    )


def _compute(data: dict[str, Any]) -> Compute:
    texts = {name: _quantity(data[name]) for name in ("cpu_limit", "cpu_memory") if name in data}
    return Compute(
        num_accelerators=int(data.get("num_accelerators", 0)),
        accelerator_type=tuple(data.get("accelerator_type", ())),
        **texts,
        **_given(data, "accelerator_memory"),
    )


def _quantity(value: str | float) -> str:
    # 2.0 is an integer to the schema; 1.5 is not.
    return value if isinstance(value, str) else str(int(value))


def _deployment(data: dict[str, Any]) -> Deployment:
    counts = ("min_replicas", "max_replicas", "scale_down_delay")
    return Deployment(**{**data, **{name: int(data[name]) for name in counts if name in data}})


def _trial(data: dict[str, Any], base: Path) -> Trial:
    inputs = (
        TrialInput(one.get("text"), base / one["image"] if "image" in one else None)
        for one in data.get("inputs", ())
    )
    return Trial(tuple(inputs), tuple(data.get("params", {}).items()))


def _storage(data: dict[str, Any]) -> Storage:
    trimmed = {"prefix": data["prefix"].strip("/")} if "prefix" in data else {}
    return Storage(**{**data, **trimmed})


def _given(data: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return what the document has of these; the types know the defaults of the others."""
    return {name: data[name] for name in names if name in data}
