"""Checks the module that holds the user's model. It is read, never run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from clarifai_build.errors import Problem
from clarifai_build.manifest.document import Document
from clarifai_build.source.source_file import unreadable
from clarifai_build.util.python_code import parse_python
from clarifai_build.validation.inference import imported_packages
from clarifai_build.validation.inference.declared_types import declared_types
from clarifai_build.validation.inference.prediction_form import returned_form
from clarifai_build.validation.schema_messages import format_value

# `predict` is what clarifai 10.x calls it.
METHODS = ("get_predictions", "predict")


def problems(
    document: Document, file: Path, shown: str, requirements: Path | None = None
) -> Iterator[Problem]:
    """Yield what is wrong with the model in `file`, which problems call `shown`.

    `requirements` are what is installed for it; there need be none at that path.
    """
    try:
        module = parse_python(file)
    except OSError as error:
        yield unreadable(shown, error)
        return
    except SyntaxError as error:
        line, column = error.lineno or 1, error.offset or 1
        yield Problem("inference-syntax", f"not Python: {error.msg}", shown, line, max(column, 1))
        return
    # Some Python versions raise it for null bytes, others a SyntaxError.
    except ValueError as error:
        yield Problem("inference-syntax", f"not Python: {error}", shown, 1, 1)
        return
    # CPython's parser raises MemoryError when its own stack is full.
    except (RecursionError, MemoryError):
        message = "Python can't read it: an expression is nested too deeply"
        yield Problem("inference-syntax", message, shown, 1, 1)
        return
    yield from _declared_types(document, module, shown)
    # At the top of the module, where nearly all have it, no walk is needed.
    if not any("InferenceModel" in _bound(node) for node in chain(module.body, ast.walk(module))):
        hint = "write `class InferenceModel:` with `get_predictions(self, input_data, **kwargs)`"
        yield Problem("inference-class", "no class InferenceModel", shown, 1, 1, hint=hint)
    for node in module.body:
        if isinstance(node, ast.ClassDef) and node.name == "InferenceModel":
            yield from _methods(node, shown)
    yield from _form(document, module, shown)
    yield from imported_packages.problems(document, module, shown, file.parent, requirements)


def _bound(node: ast.AST) -> list[str]:
    """Return the names that a statement binds: the model may be imported or assigned, too."""
    if isinstance(node, ast.ClassDef):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


def _methods(model: ast.ClassDef, shown: str) -> Iterator[Problem]:
    names = {
        node.name
        for node in model.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    if names & set(METHODS) or _may_inherit(model):
        return
    column = model.col_offset + len("class ") + 1
    hint = "write `def get_predictions(self, input_data, **kwargs)`"
    message = "InferenceModel has neither get_predictions nor predict"
    yield Problem(
        "inference-method", message, shown, model.lineno, column, len(model.name), hint=hint
    )


def _may_inherit(model: ast.ClassDef) -> bool:
    from clarifai_build.model_types import MODEL_TYPES

    # The base classes of clarifai 10.x are named after the types, and abstract: TextToText, ….
    abstract = {"object"} | {name.title().replace("-", "") for name in MODEL_TYPES}
    names = {
        base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
        for base in model.bases
    }
    return bool(names - abstract)


def _form(document: Document, module: ast.Module, shown: str) -> Iterator[Problem]:
    per_item = document.get("code", "per_item") is True
    found = returned_form(module)
    if found is None or per_item == (found.form == "item"):
        return
    message = "get_predictions returns one output, but is called with a list of items"
    hint = "return a list; code for clarifai 9.7 to 9.10 needs `code: {per_item: true}`"
    if per_item:
        message = "get_predictions returns a list, but code.per_item has it called with one item"
        hint = "remove `per_item`, or return one output"
    yield Problem("prediction-form", message, shown, found.line, found.column, hint=hint)


def _declared_types(document: Document, module: ast.Module, shown: str) -> Iterator[Problem]:
    wanted = document.get("model", "type")
    for declared, node in declared_types(module):
        if isinstance(wanted, str) and declared != wanted:
            message = f"the code is for '{declared}', the manifest says {format_value(wanted)}"
            length = (node.end_col_offset or 0) - node.col_offset
            if node.end_lineno != node.lineno:
                length = 1
            yield Problem("type-mismatch", message, shown, node.lineno, node.col_offset + 1, length)
