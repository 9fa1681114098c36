"""What both kinds of import share: parameters, ids, the files that stay behind."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from clarifai_build.errors import ManifestError, cannot_read
from clarifai_build.manifest.schema import matches
from clarifai_build.manifest.types import FIELD_TYPES
from clarifai_build.repository_layout import (
    MODEL,
    RUNTIME,
    SERVING,
    TESTS,
    in_folder,
)
from clarifai_build.scaffold import id_from
from clarifai_build.util.python_code import parse_python
from clarifai_build.util.small_files import MIB, read_small_json

_KINDS = {number: kind for kind, number in FIELD_TYPES.items()}
# What this tool generates as well: a copy of the old ones would conflict.
GENERATED = (in_folder(SERVING), in_folder(RUNTIME))
_MAX_BYTES = 4 * MIB
_KEYS = ("path", "field_type", "default_value", "description")
# What the model.py of clarifai 9.7 to 9.9 imports.
_SDK_MODEL = frozenset(
    (
        *("os", "sys", "triton_python_backend_utils", "google.protobuf"),
        *("tritonclient.grpc.model_config_pb2", "inference"),
    )
)
_FITS = {"boolean": (bool,), "string": (str,), "number": (int, float)}


def model_id(name: str, notes: list[str]) -> str:
    """Return the name where Clarifai takes it for an id, else the nearest id."""
    if matches("id", name):
        return name
    near = id_from(name)
    notes.append(f"Clarifai takes no id '{name}': it became '{near}'")
    return near


def params_file(file: Path, notes: list[str]) -> list[dict[str, Any]]:
    """Read the SDK's inference_parameters.json."""
    try:
        entries = read_small_json(file, _MAX_BYTES)
    except OSError as error:
        raise ManifestError(cannot_read(file, error)) from error
    except ValueError as error:
        raise ManifestError.of("params-file", f"not JSON: {error}", file=str(file)) from error
    if not isinstance(entries, list):
        raise ManifestError.of("params-file", "not a list of parameters", file=str(file))
    return params(entries, notes)


def params(entries: Iterable[Any], notes: list[str]) -> list[dict[str, Any]]:
    """Turn the SDK's `{path, field_type, default_value, description}` into params."""
    result = []
    for number, entry in enumerate(entries, 1):
        entry = entry if isinstance(entry, dict) else {}
        field_type = entry.get("field_type")
        kind = _KINDS.get(field_type) if isinstance(field_type, int) else None
        if kind is None or not isinstance(entry.get("path"), str):
            # Not the whole entry: its default may be a secret.
            known = {key: entry.get(key) for key in ("path", "field_type")}
            notes.append(f"parameter {number}, {known}: its path or field_type is unknown")
            continue
        param: dict[str, Any] = {"name": entry["path"], "type": kind}
        default = entry.get("default_value")
        if kind == "secret":
            if default:
                notes.append(f"the default of the secret '{entry['path']}': set it in Clarifai")
        elif _fits(default, kind):
            param["default"] = default
        elif default is not None:
            notes.append(f"the default of '{entry['path']}': {default!r} is no {kind}")
        if entry.get("description"):
            param["description"] = str(entry["description"])
        notes += [f"{key} of the parameter '{entry['path']}'" for key in entry if key not in _KEYS]
        result.append(param)
    return result


def _fits(value: Any, kind: str) -> bool:
    # A bool is an int to Python, and would pass for a number.
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _FITS[kind]) and _is_writable(value)


def _is_writable(value: Any) -> bool:
    """Return whether it is text, or a number that YAML, JSON and the platform have: a double."""
    try:
        return isinstance(value, str) or math.isfinite(value)
    except OverflowError:
        return False


def left_behind(folder: Path, notes: list[str]) -> list[str]:
    """Return patterns for generated files, which the artifact's own ones replace."""
    exclude = [f"/{name}" for name in GENERATED if (folder / name.rstrip("/")).exists()]
    for name in (in_folder(MODEL), in_folder(TESTS)):
        file = folder / name
        if file.is_file() and (uses_sdk(file) or is_sdk_model(file)):
            exclude.append(f"/{name}")
            notes.append(f"{name} is the SDK's: the artifact has one of its own")
    if "clarifai_runtime.triton_model" in imported_modules(folder / in_folder(MODEL)):
        exclude.append(f"/{in_folder(MODEL)}")
    return exclude


def uses_sdk(file: Path) -> bool:
    """Return whether a Python file imports the Clarifai SDK, or the model the SDK's way."""
    return any(module.split(".")[0] == "clarifai" for module in imported_modules(file))


def is_sdk_model(file: Path) -> bool:
    """Return whether a file is the model.py of clarifai 9.7 to 9.9, which imports no clarifai."""
    modules = set(imported_modules(file))
    return {"inference", "tritonclient.grpc.model_config_pb2"} <= modules <= _SDK_MODEL


def imported_modules(file: Path) -> list[str]:
    """Return the names of the modules that a Python file imports; none where it is not Python."""
    tree = parsed(file)
    names = []
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return names


def parsed(file: Path) -> ast.Module | None:
    """Parse a Python file without running it."""
    try:
        return parse_python(file)
    # CPython's parser raises the last two for what is nested too deeply.
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
