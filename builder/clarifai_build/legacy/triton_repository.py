"""A Triton repository of clarifai 9.7 to 10.0: config.pbtxt, labels.txt and the folder `1`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clarifai_build.errors import ManifestError, UsageError, cannot_read
from clarifai_build.legacy import label_lists, sdk_files
from clarifai_build.legacy.imported import Imported
from clarifai_build.model_types import MODEL_TYPES, ModelType
from clarifai_build.repository_layout import CONFIG, INFERENCE, LABELS, VERSION
from clarifai_build.util.small_files import MIB, read_small_text

PARAMETERS = "inference_parameters.json"
_MAX_BYTES = MIB
# Without KIND_GPU: Triton refuses to load it on a machine without a GPU.
_KINDS = {"KIND_AUTO": "auto", "KIND_CPU": "cpu"}
# Fields that the manifest or the template stands for; any other becomes a note.
_CARRIED = {
    "name",
    "platform",
    "backend",
    "max_batch_size",
    "input",
    "output",
    "instance_group",
    "dynamic_batching",
    "parameters",
    "version_policy",
    "default_model_filename",
}


def read_repository(folder: Path, type_name: str | None = None) -> Imported:
    """Read a repository; `type_name` is its model type where its files don't say."""
    notes: list[str] = []
    config = _config(folder / CONFIG)
    model_type = MODEL_TYPES[type_name or _type(folder, config)]
    requirements, written = sdk_files.requirements(folder, notes)
    files = dict(written)
    name = config.name or folder.resolve().name
    model: dict[str, Any] = {"id": sdk_files.model_id(name, notes), "type": model_type.name}
    if model_type.has_labels:
        model["labels"] = label_lists.from_file(folder, _labels(config, notes), notes, files)
    code: dict[str, Any] = {"path": VERSION}
    if requirements:
        code["requirements"] = requirements
    if exclude := sdk_files.left_behind(folder / VERSION, notes):
        code["exclude"] = exclude
    manifest: dict[str, Any] = {"version": 1, "model": model, "code": code}
    if shapes := _shapes(config, model_type):
        manifest["shapes"] = shapes
    manifest["triton"] = _triton(config, notes)
    for file in (folder / PARAMETERS, folder / VERSION / PARAMETERS):
        if file.is_file():
            manifest["params"] = sdk_files.params_file(file, notes)
    notes += _rest(folder, config)
    return Imported.of(manifest, notes, files)


def _config(file: Path) -> Any:
    from google.protobuf import text_format
    from tritonclient.grpc.model_config_pb2 import ModelConfig

    try:
        return text_format.Parse(read_small_text(file, _MAX_BYTES), ModelConfig())
    except OSError as error:
        raise ManifestError(cannot_read(file, error)) from error
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise ManifestError.of("config-pbtxt", f"not a config: {error}", file=str(file)) from error


def _type(folder: Path, config: Any) -> str:
    """Find the type that the code names, else the one whose tensors config.pbtxt has."""
    found = {*_named_types(folder / INFERENCE)}
    if not found:
        found = {name for name, known in MODEL_TYPES.items() if _has_tensors(config, known)}
    if len(found) == 1:
        return found.pop()
    raise UsageError.of(
        "type-missing",
        f"the model type of '{folder}' does not show",
        hint=f"--type {'|'.join(sorted(found) or MODEL_TYPES)}",
    )


def _named_types(file: Path) -> Iterator[str]:
    """Yield types named by `get_model_config("…")`, or by clarifai 9.7's decorators."""
    tree = sdk_files.parsed(file)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if function == "get_model_config" and node.args[0].value in MODEL_TYPES:
                yield str(node.args[0].value)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").endswith("model_types"):
            names = (alias.name.replace("_", "-") for alias in node.names)
            yield from (name for name in names if name in MODEL_TYPES)


def _has_tensors(config: Any, known: ModelType) -> bool:
    pairs = ((config.input, known.inputs), (config.output, known.outputs))
    return all({one.name for one in has} == {one.name for one in wants} for has, wants in pairs)


def _labels(config: Any, notes: list[str]) -> str:
    names = list(dict.fromkeys(out.label_filename for out in config.output if out.label_filename))
    notes += [f"{CONFIG}: the labels in {name}: a model has one list" for name in names[1:]]
    return names[0] if names else LABELS


def _shapes(config: Any, model_type: ModelType) -> dict[str, list[int]]:
    shapes = {}
    for tensor in config.input:
        if tensor.name == "image" and model_type.has_image_input:
            shapes["image"] = [int(dim) for dim in tensor.dims[:2]]
    for tensor in config.output:
        if tensor.name == "embeddings":
            shapes["embeddings"] = [int(dim) for dim in tensor.dims]
    return {name: dims for name, dims in shapes.items() if any(dim != -1 for dim in dims)}


def _triton(config: Any, notes: list[str]) -> dict[str, Any]:
    # 0 says that the model takes no batch dimension; generated models always have one.
    triton: dict[str, Any] = {"max_batch_size": max(config.max_batch_size, 1)}
    if config.max_batch_size < 1:
        notes.append("max_batch_size 0: the model is called with a batch of 1")
    batching: dict[str, Any] = {}
    if delay := config.dynamic_batching.max_queue_delay_microseconds:
        batching["max_queue_delay_microseconds"] = int(delay)
    if sizes := list(config.dynamic_batching.preferred_batch_size):
        batching["preferred_batch_size"] = [int(size) for size in sizes]
    if batching:
        triton["dynamic_batching"] = batching
    if config.instance_group:
        triton["instance_group"] = _instances(config.instance_group, notes)
    if config.parameters:
        parameters = sorted(config.parameters.items())
        triton["parameters"] = {name: item.string_value for name, item in parameters}
    return triton


def _instances(groups: Any, notes: list[str]) -> dict[str, Any]:
    group = groups[0]
    kind = group.Kind.Name(group.kind)
    if kind not in _KINDS:
        notes.append(f"{kind}: it does not load without a GPU, and became auto")
    if len(groups) > 1 or group.gpus:
        notes.append("instance groups beyond the first, and lists of GPUs")
    return {"count": max(group.count, 1), "kind": _KINDS.get(kind, "auto")}


def _rest(folder: Path, config: Any) -> Iterator[str]:
    for field, _ in config.ListFields():
        if field.name not in _CARRIED:
            yield f"{CONFIG}: {field.name}"
    for version in folder.iterdir():
        if version.is_dir() and version.name.isdigit() and version.name != VERSION:
            yield f"version folder {version.name}"
