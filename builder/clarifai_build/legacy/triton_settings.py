"""From config.pbtxt to the manifest's section `triton`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from clarifai_build.legacy import versions
from clarifai_build.legacy.triton_config import enum_name
from clarifai_build.model_types import ModelType, traits_of
from clarifai_build.repository_layout import CONFIG

# Without KIND_GPU: Triton refuses to load it on a machine without a GPU.
_KINDS = {"KIND_AUTO": "auto", "KIND_CPU": "cpu"}
# What Triton's Python backend replaces by the model's folder, in the values of parameters.
_MODEL_FOLDER = "$$TRITON_MODEL_DIRECTORY"
_ENVIRONMENT = "EXECUTION_ENV_PATH"


def carried(
    config: Any, model_type: ModelType, folder: Path, version: str, notes: list[str]
) -> dict[str, Any]:
    """Return the section; what of it gets another meaning, or is lost, becomes a note."""
    # 0 says that the model takes no batch dimension; generated models always have one.
    triton: dict[str, Any] = {"max_batch_size": max(config.max_batch_size, 1)}
    if config.max_batch_size < 1:
        notes.append("max_batch_size 0: the model is called with a batch of 1")
    streaming = _streaming(config, model_type, notes)
    if streaming:
        triton["streaming"] = True
    if (batching := _batching(config, notes)) and not streaming:
        triton["dynamic_batching"] = batching
    if config.instance_group:
        triton["instance_group"] = _instances(config.instance_group, notes)
    if (ragged := _ragged(config, model_type)) is not None:
        triton["ragged"] = ragged
    if config.response_cache.enable:
        triton["response_cache"] = True
    if policy := versions.policy(config, notes):
        triton["version_policy"] = policy
    if parameters := dict(_parameters(config, folder, version, notes)):
        triton["parameters"] = parameters
    return triton


def _streaming(config: Any, model_type: ModelType, notes: list[str]) -> bool:
    if not config.model_transaction_policy.decoupled:
        return False
    if not traits_of(model_type).streams:
        notes.append(f"{CONFIG}: decoupled: a {model_type.name} gives one answer a request")
        return False
    if config.HasField("dynamic_batching"):
        notes.append(f"{CONFIG}: dynamic_batching: a streaming model gets requests one by one")
    return True


def _batching(config: Any, notes: list[str]) -> dict[str, Any]:
    batching: dict[str, Any] = {}
    if delay := config.dynamic_batching.max_queue_delay_microseconds:
        batching["max_queue_delay_microseconds"] = int(delay)
    if sizes := list(config.dynamic_batching.preferred_batch_size):
        batching["preferred_batch_size"] = [int(size) for size in sizes]
    if config.max_batch_size > 1 and not config.HasField("dynamic_batching"):
        notes.append(
            f"{CONFIG}: no dynamic_batching: requests of several callers come in one batch now"
        )
    return batching


def _instances(groups: Any, notes: list[str]) -> dict[str, Any]:
    group = groups[0]
    kind = enum_name(group.Kind, group.kind)
    if kind == "KIND_GPU":
        notes.append(f"{kind}: it does not load without a GPU, and became auto")
    elif kind not in _KINDS:
        notes.append(f"{CONFIG}: {kind}: it became auto")
    if len(groups) > 1:
        notes.append(f"{CONFIG}: {len(groups) - 1} instance groups beyond the first")
    return {"count": max(group.count, 1), "kind": _KINDS.get(kind, "auto")}


def _ragged(config: Any, model_type: ModelType) -> bool | None:
    """Return whether images of several sizes come in one batch, where the default says otherwise.

    Old code may stack its batch into one array: it gets what it got before.
    """
    if not model_type.has_image_input or config.max_batch_size < 2:
        return None
    image = next((tensor for tensor in config.input if tensor.name == "image"), None)
    if image is None or image.allow_ragged_batch == (-1 in image.dims[:2]):
        return None
    return bool(image.allow_ragged_batch)


def _parameters(
    config: Any, folder: Path, version: str, notes: list[str]
) -> Iterator[tuple[str, str]]:
    for name, item in sorted(config.parameters.items()):
        value = item.string_value
        if why := _lost(name, value, folder, version):
            notes.append(f"{CONFIG}: parameter {name} '{value}': {why}")
        else:
            yield name, value.replace(f"{_MODEL_FOLDER}/{version}/", f"{_MODEL_FOLDER}/1/")


def _lost(name: str, value: str, folder: Path, version: str) -> str | None:
    """Return why the file that a parameter names is not there where the model is served."""
    inside, _, rest = value.partition(_MODEL_FOLDER)
    if not inside and rest.startswith("/"):
        parts = PurePosixPath(rest).parts[1:]
        if ".." in parts or parts[:1] != (version,):
            return f"only what lies in folder {version} goes into the artifact"
        return None if folder.joinpath(*parts).exists() else "there is no such file"
    if name == _ENVIRONMENT:
        return "a path of this machine; what the model needs stands in requirements.txt"
    return None
