"""A Triton repository of clarifai 9.7 to 10.0: config.pbtxt, labels.txt and a version folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clarifai_build.errors import ManifestError, UsageError
from clarifai_build.legacy import (
    label_lists,
    sdk_files,
    sdk_generation,
    triton_settings,
    versions,
)
from clarifai_build.legacy.config_fields import noted
from clarifai_build.legacy.imported import Imported
from clarifai_build.legacy.requirements import conda_environment, kept
from clarifai_build.legacy.triton_config import (
    has_names,
    inner_dims,
    read_config,
    tensor_problems,
)
from clarifai_build.manifest.types import FILE_NAME
from clarifai_build.model_types import MODEL_TYPES, ModelType
from clarifai_build.repository_layout import (
    CONFIG,
    INFERENCE,
    LABELS,
    REQUIREMENTS,
    in_folder,
)
from clarifai_build.validation.inference.declared_types import declared_types, decorating_types

PARAMETERS = "inference_parameters.json"
_KNOWN = {CONFIG, REQUIREMENTS, LABELS, PARAMETERS, FILE_NAME, conda_environment.CONDA}


def read_repository(folder: Path, type_name: str | None = None) -> Imported:
    """Read a repository; `type_name` is its model type where its files don't say.

    Raises ManifestError where no artifact could serve the model, UsageError where its type does
    not show.
    """
    notes: list[str] = []
    config = read_config(folder / CONFIG, notes)
    version = versions.served(folder, config, notes)
    model_type = _model_type(folder, config, folder / version / in_folder(INFERENCE), type_name)
    brought = conda_environment.requirements(folder, folder / version, notes)
    requirements, written = kept.requirements(folder, notes, brought)
    files = dict(written)
    name = config.name or folder.resolve().name
    model: dict[str, Any] = {"id": sdk_files.model_id(name, notes), "type": model_type.name}
    if model_type.has_labels:
        model["labels"] = label_lists.from_file(folder, _labels(config, notes), notes, files)
    code: dict[str, Any] = {"path": version}
    if requirements:
        code["requirements"] = requirements
    if exclude := sdk_files.left_behind(folder / version, notes):
        code["exclude"] = exclude
    if sdk_generation.takes_item(folder, version, notes):
        code["per_item"] = True
    manifest: dict[str, Any] = {"version": 1, "model": model, "code": code}
    if shapes := _shapes(config, model_type):
        manifest["shapes"] = shapes
    manifest["triton"] = triton_settings.carried(config, model_type, folder, version, notes)
    for file in (folder / PARAMETERS, folder / version / PARAMETERS):
        if file.is_file():
            manifest["params"] = sdk_files.params_file(file, notes)
    notes += [f"{CONFIG}: {field}" for field in noted(config)]
    notes += _beside(folder, {*files, *(out.label_filename for out in config.output)})
    return Imported.of(manifest, notes, files)


def _beside(folder: Path, named: set[str]) -> Iterator[str]:
    """Yield what lies beside the version folders, where code could reach it by `..`."""
    for path in sorted(folder.iterdir()):
        name = path.name
        if name.startswith(".") or name in _KNOWN | named or versions.number_of(path):
            continue
        yield f"{name}{'/' * path.is_dir()}: only what lies in the version folder goes in"


def _model_type(folder: Path, config: Any, code: Path, given: str | None) -> ModelType:
    """Return the type that is given, that the code names, or whose tensors config.pbtxt has."""
    found = {given} if given else _named_types(code)
    if not found:
        found = {name for name, known in MODEL_TYPES.items() if has_names(config, known)}
    if len(found) != 1:
        raise _no_type(folder, config, found)
    model_type = MODEL_TYPES[found.pop()]
    if problems := tuple(tensor_problems(config, model_type, folder / CONFIG)):
        raise ManifestError(*problems)
    return model_type


def _named_types(file: Path) -> set[str]:
    tree = sdk_files.parsed(file)
    if tree is None:
        return set()
    return {one.type for one in declared_types(tree) if one.type in MODEL_TYPES} or {
        *decorating_types(tree)
    }


def _no_type(folder: Path, config: Any, found: set[str]) -> UsageError:
    possible = sorted(found) or [
        name
        for name, known in MODEL_TYPES.items()
        if not tuple(tensor_problems(config, known, folder / CONFIG))
    ]
    if possible:
        message = f"the model type of '{folder}' does not show"
        return UsageError.of("type-missing", message, hint=f"--type {'|'.join(possible)}")
    tensors = ", ".join(tensor.name for tensor in (*config.input, *config.output))
    return UsageError.of(
        "type-missing",
        f"no model type of Clarifai has the tensors of '{folder}': {tensors}",
        hint="`clarifai-build init --type TYPE`, in a folder of its own, writes an inference.py "
        "to start from; take the type that is nearest",
    )


def _labels(config: Any, notes: list[str]) -> str:
    names = list(dict.fromkeys(out.label_filename for out in config.output if out.label_filename))
    notes += [f"{CONFIG}: the labels in {name}: a model has one list" for name in names[1:]]
    return names[0] if names else LABELS


def _shapes(config: Any, model_type: ModelType) -> dict[str, list[int]]:
    return {
        name: dims for name, dims in _dims(config, model_type) if any(dim != -1 for dim in dims)
    }


def _dims(config: Any, model_type: ModelType) -> Iterator[tuple[str, list[int]]]:
    batched = config.max_batch_size > 0
    known = {tensor.name: tensor for tensor in (*model_type.inputs, *model_type.outputs)}
    for tensor in config.input:
        if tensor.name == "image":
            yield "image", inner_dims(tensor, known["image"], batched=batched)[:2]
    for tensor in config.output:
        if tensor.name == "embeddings":
            yield "embeddings", inner_dims(tensor, known["embeddings"], batched=batched)
