"""What an unpacked zip must look like, and the model that it then is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from clarifai_build.errors import SandboxError
from clarifai_build.repository_layout import CONFIG, MODEL
from clarifai_build.sandbox.engines.triton import ENVIRONMENT_PARAMETER
from clarifai_build.util.small_files import MIB, TooLargeError, read_small_text

_MAX_CONFIG = MIB
# A million labels; each becomes an object.
_MAX_LABELS = 32 * MIB
_GPU = model_config_pb2.ModelInstanceGroup.KIND_GPU
_CPU = model_config_pb2.ModelInstanceGroup.KIND_CPU


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model as Triton serves it: its config, and the labels of the outputs that have some."""

    config: Any
    labels: Mapping[str, tuple[str, ...]]

    @property
    def inputs(self) -> dict[str, Any]:
        return {tensor.name: tensor for tensor in self.config.input}

    @property
    def outputs(self) -> dict[str, Any]:
        return {tensor.name: tensor for tensor in self.config.output}


def read(folder: Path) -> ServedModel:
    """Return the model in `folder`, whose root holds config.pbtxt and `1/model.py`."""
    if not (folder / CONFIG).is_file():
        raise _wrong(f"its root holds no {CONFIG}{_nested(folder)}")
    if not (folder / MODEL).is_file():
        raise _wrong(f"it holds no {MODEL}")
    try:
        config = text_format.Parse(
            read_small_text(folder / CONFIG, _MAX_CONFIG), model_config_pb2.ModelConfig()
        )
    except (text_format.ParseError, UnicodeDecodeError, TooLargeError) as error:
        raise _wrong(f"{CONFIG} can't be parsed: {error}") from error
    named = {tensor.name: tensor.label_filename for tensor in config.output}
    # Below the folder: joined to a path that begins with a slash, it would be left out.
    labels = {name: _labels(Path(f"{folder}/{file}")) for name, file in named.items() if file}
    return ServedModel(config, labels)


def check_maps(model: ServedModel, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Refuse field maps that name tensors which the config does not have."""
    sides = (
        ("input_fields_map", inputs, model.inputs),
        ("output_fields_map", outputs, model.outputs),
    )
    for name, fields, tensors in sides:
        for field, tensor in fields.items():
            if tensor not in tensors:
                known = ", ".join(tensors) or "none"
                raise _wrong(f"{name}: '{field}' names '{tensor}'; {CONFIG} has {known}")


def adapt(folder: Path, model: ServedModel, name: str, environment: Path | None) -> None:
    """Rewrite the config for this machine: the model's name here, no GPU, its environment."""
    config = model.config
    # Triton wants the name of the folder, which is the id of the version.
    config.name = name
    for group in config.instance_group:
        # Triton refuses to load KIND_GPU on a machine without a GPU.
        if group.kind == _GPU:
            group.kind = _CPU
            group.ClearField("gpus")
    if environment is not None:
        config.parameters[ENVIRONMENT_PARAMETER].string_value = str(environment)
    (folder / CONFIG).write_text(text_format.MessageToString(config), encoding="utf-8")


def _labels(file: Path) -> tuple[str, ...]:
    if not (file.is_file() and ".." not in file.parts):
        raise _wrong(f"{CONFIG} names the label file {file.name}, which is not there")
    try:
        lines = read_small_text(file, _MAX_LABELS).splitlines()
    except (UnicodeDecodeError, TooLargeError) as error:
        raise _wrong(f"{file.name} can't be read: {error}") from error
    labels = tuple(line.strip() for line in lines if line.strip())
    if not labels:
        raise _wrong(f"{file.name} holds no labels")
    return labels


def _nested(folder: Path) -> str:
    below = sorted(path.parent.name for path in folder.glob(f"*/{CONFIG}"))
    return f"; {below[0]}/ does: zip what is in that folder, not the folder" if below else ""


def _wrong(reason: str) -> SandboxError:
    return SandboxError.of("layout-refused", f"the zip is not a Triton model: {reason}")
