"""What a ModelClass in 1/model.py declares, read from its source; it is never run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clarifai_build.legacy.sdk_files import imported_modules, parsed
from clarifai_build.model_types import ModelType

_OWN = "clarifai_runtime.runner"
_KINDS = {"float": "number", "int": "number", "str": "string", "bool": "boolean"}


def notes(model: Path, inference: str, *, has_inference: bool) -> Iterator[str]:
    """Yield what has to be done about the class, if it is not this tool's own."""
    if not model.is_file() or _OWN in imported_modules(model):
        return
    names = [f"{name}()" for name in _methods(model)]
    told = f" ({', '.join(names)})" if names else ""
    what = "see that" if has_inference else "write"
    yield f"{model.name}: what its class does{told}; {what} {inference} does it in get_predictions"


def params(model: Path, model_type: ModelType, notes: list[str]) -> list[dict[str, Any]]:
    """Return the inference parameters that `predict` takes beside the input of its type."""
    method = _methods(model).get("predict")
    if method is None:
        return []
    inputs = {tensor.name for tensor in model_type.inputs}
    arguments = [*method.args.args[1:], *method.args.kwonlyargs]
    positional = len(method.args.args)
    defaults = [None] * (positional - len(method.args.defaults)) + list(method.args.defaults)
    values = [*defaults[1:], *method.args.kw_defaults]
    found = []
    for argument, default in zip(arguments, values, strict=True):
        if argument.arg in inputs:
            continue
        param = _param(argument, default)
        if param is None:
            written = ast.unparse(argument)
            notes.append(f"the argument '{written}' of predict: it is no number, text or boolean")
        else:
            found.append(param)
    return found


def _param(argument: ast.arg, default: ast.expr | None) -> dict[str, Any] | None:
    kind = _KINDS.get(ast.unparse(argument.annotation)) if argument.annotation else None
    if kind is None:
        return None
    param: dict[str, Any] = {"name": argument.arg, "type": kind}
    value, description = _default(default)
    if value is not None:
        param["default"] = value
    if description:
        param["description"] = str(description)
    return param


def _default(node: ast.expr | None) -> tuple[Any, Any]:
    """Return a default and its description: of a plain value, or of `Param(…)`."""
    if isinstance(node, ast.Call):
        given = {one.arg: _literal(one.value) for one in node.keywords}
        first = _literal(node.args[0]) if node.args else None
        return given.get("default", first), given.get("description")
    return _literal(node), None


def _literal(node: ast.expr | None) -> Any:
    try:
        value = ast.literal_eval(node) if node else None
    except ValueError:
        return None
    return value if isinstance(value, (bool, int, float, str)) else None


def _methods(model: Path) -> dict[str, ast.FunctionDef]:
    tree = parsed(model)
    return {
        node.name: node
        for node in (ast.walk(tree) if tree else ())
        if isinstance(node, ast.FunctionDef)
        and any(ast.unparse(one).endswith("ModelClass.method") for one in node.decorator_list)
    }
