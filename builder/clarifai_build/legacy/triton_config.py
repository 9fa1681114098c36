"""Reads a config.pbtxt, and refuses one whose model no artifact could serve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from clarifai_build.errors import ManifestError, Problem, cannot_read
from clarifai_build.model_types import ModelType, Tensor
from clarifai_build.repository_layout import MODEL, in_folder
from clarifai_build.targets.triton.model_config import model_config_pb2
from clarifai_build.util.small_files import MIB, read_small_text

_MAX_BYTES = MIB
# What the artifact's own config.pbtxt says, or Triton finds out by itself.
_BACKENDS = ("", "python")
_REWRITE = (
    "an artifact runs Python: `clarifai-build init --type TYPE`, in a folder of its own, writes "
    "an inference.py to start from, which loads the model's files"
)
_SCHEDULERS = {
    "ensemble_scheduling": (
        "an ensemble of other models, which an artifact has no room for",
        "call the steps one after the other in one inference.py",
    ),
    "sequence_batching": (
        "a model that keeps state between the requests of one caller",
        "remove the section if the model needs no state",
    ),
}


def read_config(file: Path, notes: list[str]) -> Any:
    """Parse a config.pbtxt into Triton's ModelConfig.

    Fields that this version of Triton's message does not have are a note. Raises ManifestError
    where the rest is no config, or is one of a model that does not run in Triton's Python.
    """
    config = _parsed(file, notes)
    if problems := tuple(_foreign(config, str(file))):
        raise ManifestError(*problems)
    return config


def _parsed(file: Path, notes: list[str]) -> Any:
    from google.protobuf import text_format

    message = model_config_pb2().ModelConfig
    try:
        text = read_small_text(file, _MAX_BYTES, "utf-8-sig")
        try:
            return text_format.Parse(text, message())
        except text_format.ParseError as error:
            config = text_format.Parse(text, message(), allow_unknown_field=True)
            notes.append(f"{file.name}: what Triton's ModelConfig does not have ({error})")
            return config
    except OSError as error:
        raise ManifestError(cannot_read(file, error)) from error
    except (UnicodeDecodeError, RecursionError, text_format.ParseError) as error:
        raise ManifestError.of("config-pbtxt", f"not a config: {error}", file=str(file)) from error


def _foreign(config: Any, file: str) -> Iterator[Problem]:
    """Yield why the model is not one that Triton's Python backend runs from model.py."""
    for field in ("backend", "platform"):
        if (value := getattr(config, field)) not in _BACKENDS:
            message = f"{field} '{value}': this model is not served by Triton's Python backend"
            yield Problem("config-unsupported", message, file, hint=_REWRITE)
    for field, (what, hint) in _SCHEDULERS.items():
        if config.HasField(field):
            yield Problem("config-unsupported", f"{field}: {what}", file, hint=hint)
    name = config.default_model_filename
    if name not in ("", in_folder(MODEL)):
        message = f"default_model_filename '{name}': an artifact starts from model.py"
        hint = "call that file model.py and remove the field" if name.endswith(".py") else _REWRITE
        yield Problem("config-unsupported", message, file, hint=hint)


def tensor_problems(config: Any, model_type: ModelType, file: Path) -> Iterator[Problem]:
    """Yield where the tensors are not those of the type, which the artifact will have.

    A config without tensors leaves them to the model, and so says nothing against the type.
    """
    for kind, has, wants in (
        ("input", config.input, model_type.inputs),
        ("output", config.output, model_type.outputs),
    ):
        if has and (why := _difference(kind, has, wants, batched=config.max_batch_size > 0)):
            message = f"{why}: a {model_type.name} would be another model"
            hint = f"its {kind}s are {', '.join(map(_shown, wants))}; {_REWRITE}"
            yield Problem("tensors-differ", message, str(file), hint=hint)


def has_names(config: Any, model_type: ModelType) -> bool:
    """Return whether the tensors are called as those of the type."""
    pairs = ((config.input, model_type.inputs), (config.output, model_type.outputs))
    return all({one.name for one in has} == {one.name for one in wants} for has, wants in pairs)


def _difference(
    kind: str, has: Sequence[Any], wants: Sequence[Tensor], *, batched: bool
) -> str | None:
    known = {tensor.name: tensor for tensor in wants}
    names = sorted(tensor.name for tensor in has)
    if names != sorted(known):
        return f"the {kind}s are {', '.join(names)}"
    for tensor in has:
        dtype, dims = data_type(tensor), inner_dims(tensor, known[tensor.name], batched=batched)
        if dtype not in ("INVALID", known[tensor.name].dtype):
            return f"{kind} {tensor.name} is TYPE_{dtype}"
        if not _fits(dims, known[tensor.name].dims):
            return f"{kind} {tensor.name} has the dims {dims}"
    return None


def inner_dims(tensor: Any, known: Tensor, *, batched: bool) -> list[int]:
    """Return the dims of one item: without max_batch_size, the batch may be the first of them."""
    dims = [int(dim) for dim in tensor.dims]
    return dims[1:] if not batched and len(dims) == len(known.dims) + 1 else dims


def data_type(tensor: Any) -> str:
    """Return Triton's name of the data type, without TYPE_."""
    return enum_name(model_config_pb2().DataType, tensor.data_type).removeprefix("TYPE_")


def enum_name(enum: Any, number: int) -> str:
    """Return the name of an enum's value; of one that it does not have, the number."""
    known = enum.DESCRIPTOR.values_by_number.get(number)
    return str(known.name if known else number)


def _fits(dims: Sequence[int], known: Sequence[int]) -> bool:
    if not dims:
        return True
    pairs = zip(dims, known, strict=False)
    return len(dims) == len(known) and all(-1 in pair or pair[0] == pair[1] for pair in pairs)


def _shown(tensor: Tensor) -> str:
    return f"{tensor.name} TYPE_{tensor.dtype} {list(tensor.dims)}"
