"""Checks the files that a manifest names: labels, code, requirements. Code is read, never run."""

from __future__ import annotations

import ast
import os
from collections.abc import Generator, Iterator
from pathlib import Path

from clarifai_build import requirements_checks
from clarifai_build.checks import non_ascii
from clarifai_build.document import Document
from clarifai_build.ignore import Rules
from clarifai_build.labels import labels_in, unwritable
from clarifai_build.problem import Problem, SourceError
from clarifai_build.walk import walk
from clarifai_build.yaml_reader import Steps

METHODS = ("get_predictions", "predict")
_MODELS = frozenset({"inference.py", "model.py"})


def problems(document: Document, base: Path) -> Iterator[Problem]:
    """Yield every problem in the files that the document names; it stands in the folder `base`."""
    labels = document.get("model", "labels")
    if isinstance(labels, str) and labels:
        path: Steps = ("model", "labels")
        file, found = _named_file(document, base, labels, path, "labels-missing")
        yield from found
        if file:
            yield from _labels(document, file, base, path)
    requirements = document.get("code", "requirements")
    file = None
    if isinstance(requirements, str) and requirements:
        path = ("code", "requirements")
        file, found = _named_file(document, base, requirements, path, "requirements-missing")
        yield from found
    yield from _code(document, base, file)


def _named_file(
    document: Document, base: Path, name: str, path: Steps, missing: str
) -> tuple[Path | None, list[Problem]]:
    file = base / name
    if "${env:" in name:
        return None, []  # told already: these fields take no references
    if leaves(base, file):
        return None, [_outside(document, name, path)]
    if not file.is_file():
        return None, [document.problem(missing, f"there is no file '{name}'", path)]
    return file, []


def _outside(document: Document, name: str, path: Steps) -> Problem:
    return document.problem(
        "path-outside",
        f"'{name}' leads out of the manifest's folder",
        path,
        hint="use a path inside of it, so that the folder is all that a build needs",
    )


def leaves(base: Path, path: Path) -> bool:
    """Say whether `path` lies outside of `base`, which is resolved; symbolic links are followed."""
    try:
        return os.path.commonpath((os.path.realpath(path), base)) != str(base)
    except ValueError:  # a null character, or what no file system takes: it leads nowhere
        return True


def _shown(document: Document, file: Path, base: Path) -> str:
    """Name a file the way the manifest was named."""
    return str(Path(document.name).parent / file.relative_to(base))


def _labels(document: Document, file: Path, base: Path, path: Steps) -> Iterator[Problem]:
    shown = _shown(document, file, base)
    try:
        lines = labels_in(file)
    except SourceError as error:
        yield from (problem._replace(file=shown, line=1, column=1) for problem in error.problems)
        return
    if not any(line.strip() for line in lines):
        yield document.problem("labels-empty", f"'{file.name}' has no labels", path)
        return
    first: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        label = line.strip()
        if not label:
            hint = "remove the line: each line is one label, in the order of the model's outputs"
            yield Problem("label-blank", "a blank line is no label", shown, number, 1, hint=hint)
        elif found := unwritable(line):
            yield Problem(*found, shown, number, 1, len(line), hint="remove it")
        elif label in first:
            message = f"label '{label}' is already on line {first[label]}"
            yield Problem("duplicate-label", message, shown, number, 1, len(line))
        first.setdefault(label, number)


def _code(document: Document, base: Path, requirements: Path | None) -> Iterator[Problem]:
    name = document.get("code", "path")
    name = "." if name is None else name
    if not isinstance(name, str) or not name or "${env:" in name:
        return
    folder, path = base / name, ("code", "path")
    if leaves(base, folder):
        yield _outside(document, name, path)
        return
    if not folder.is_dir():
        yield document.problem("code-missing", f"there is no folder '{name}'", path)
        return
    if requirements is None and document.get("code", "requirements") is None:
        requirements = folder / "requirements.txt"
    if requirements is not None and requirements.is_file():
        yield from requirements_checks.problems(requirements, _shown(document, requirements, base))
    packed = yield from _packed(document, folder, base)
    inference = folder / "inference.py"
    if "inference.py" in packed:
        yield from _inference(document, inference, _shown(document, inference, base))
    elif "model.py" not in packed:
        yield _no_inference(document, name, inference.is_file())


def _no_inference(document: Document, name: str, ignored: bool) -> Problem:
    path: Steps = ("code", "path")
    if ignored:
        message = f"inference.py in '{name}' is left out by .clarifaiignore or code.exclude"
        hint = "bring it back by a line !inference.py in .clarifaiignore"
        return document.problem("inference-ignored", message, path, hint=hint)
    hint = "`clarifai-build init` writes one to start from"
    message = f"there is no inference.py in '{name}'"
    return document.problem("inference-missing", message, path, hint=hint)


def _packed(
    document: Document, folder: Path, base: Path
) -> Generator[Problem, None, frozenset[str]]:
    """Return which of the two files that hold a model are packed.

    Yield a problem for each file of the artifact that can't be packed, or opened in Triton.
    """
    exclude = document.get("code", "exclude")
    exclude = exclude if isinstance(exclude, list) else []
    try:
        rules = Rules.of(folder, [line for line in exclude if isinstance(line, str)], {})
        found = walk(folder, rules)
        yield from found.problems
    except SourceError as error:
        yield from error.problems
        return frozenset(name for name in _MODELS if (folder / name).is_file())
    for file in found.files:
        if not file.path.isascii():
            shown = _shown(document, folder / file.path, base)
            hint = "rename it, or leave it out by a line in .clarifaiignore"
            yield Problem(*non_ascii(file.path), shown, hint=hint)
    return _MODELS & {file.path for file in found.files}


def _inference(document: Document, file: Path, shown: str) -> Iterator[Problem]:
    try:
        module = ast.parse(file.read_bytes())
    except SyntaxError as error:
        line, column = error.lineno or 1, error.offset or 1
        yield Problem("inference-syntax", f"not Python: {error.msg}", shown, line, max(column, 1))
        return
    except ValueError as error:
        yield Problem("inference-syntax", f"not Python: {error}", shown, 1, 1)
        return
    except (RecursionError, MemoryError):
        message = "Python can't read it: an expression is nested too deeply"
        yield Problem("inference-syntax", message, shown, 1, 1)
        return
    yield from _declared_types(document, module, shown)
    if not any("InferenceModel" in _bound(node) for node in ast.walk(module)):
        hint = "write `class InferenceModel:` with `get_predictions(self, input_data, **kwargs)`"
        yield Problem("inference-class", "no class InferenceModel", shown, 1, 1, hint=hint)
    for node in module.body:
        if isinstance(node, ast.ClassDef) and node.name == "InferenceModel":
            yield from _methods(node, shown)


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


def _declared_types(document: Document, module: ast.Module, shown: str) -> Iterator[Problem]:
    wanted = document.get("model", "type")
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        argument = node.args[0]
        if name == "get_model_config" and isinstance(argument, ast.Constant):
            declared = argument.value
            if isinstance(declared, str) and isinstance(wanted, str) and declared != wanted:
                message = f"the code is for '{declared}', the manifest says '{wanted}'"
                yield Problem(
                    "type-mismatch", message, shown, argument.lineno, argument.col_offset + 1,
                    len(declared) + 2,
                )  # fmt: skip
