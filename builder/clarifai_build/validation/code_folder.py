"""Checks the folder of the user's code: can all that goes into the artifact be packed?"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from clarifai_build.errors import Problem, SourceError
from clarifai_build.manifest.document import Document
from clarifai_build.manifest.schema import matches
from clarifai_build.manifest.yaml_reader import Steps
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.repository_layout import (
    ALWAYS_WRITTEN,
    CODE,
    INFERENCE,
    MODEL,
    RUNNER_CONFIG,
    artifact_names,
    in_folder,
)
from clarifai_build.source.conflicts import conflicts
from clarifai_build.source.content_checks import suspicious_names
from clarifai_build.source.named_files import ReferencedFiles
from clarifai_build.source.selection import place_of, select_files
from clarifai_build.source.source_file import SourceFile, unreadable
from clarifai_build.util.real_paths import path_below
from clarifai_build.validation import left_out
from clarifai_build.validation.rules import target_problem

# Triton starts model.py; the generated one loads inference.py, the user's own need not.
_MODELS = frozenset({in_folder(INFERENCE), in_folder(MODEL)})


def packed(
    document: Document, folder: Path, base: Path, requirements: Path | None
) -> Generator[Problem, None, frozenset[str] | None]:
    """Return which of the two files that hold a model are packed; None where that is unknown.

    Yield a problem for each file of the artifact that can't be packed, or opened in Triton.
    """
    bad_rules = list(_rule_problems(document))
    yield from bad_rules
    # With a rule that does not compile, the walk would stop before it finds anything else.
    exclude = () if bad_rules else tuple(_texts(document, "exclude"))
    try:
        found = select_files(_named(document, folder, base, requirements), exclude)
    except SourceError as error:
        yield from (_placed(document, problem, folder, base) for problem in error.problems)
        return frozenset(name for name in _MODELS if is_file(folder / name))
    allowed = tuple(_texts(document, "allow_secrets"))
    wrong = [*found.problems, *suspicious_names(found.files, allowed), *left_out.problems(found)]
    placed = [_placed(document, problem, folder, base) for problem in wrong]
    yield from sorted([*placed, *_clashes(document, found.files, folder, base)], key=place_of)
    # The folder itself could not be listed: nothing is known to be missing.
    if any(problem.file == str(folder) for problem in found.problems):
        return None
    return _MODELS & {file.path for file in found.files}


def missing(document: Document, folder: Path, base: Path) -> Problem | None:
    """Return the problem of a folder that is missing or can't be entered."""
    try:
        os.stat(f"{folder}/.")  # noqa: PTH116 - a Path would drop the dot, which asks to enter
    except (FileNotFoundError, NotADirectoryError):
        path: Steps = ("code", "path")
        name = document.get(*path)
        return document.problem("code-missing", f"there is no folder '{name}'", path)
    except OSError as error:
        return unreadable(display_path(document, folder, base), error)
    return None


def is_file(path: Path) -> bool:
    """Return whether there is a file; False where access is denied."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises there


def display_path(document: Document, file: Path, base: Path) -> str:
    """Name a file the way the manifest was named."""
    return str(Path(os.path.dirname(document.name), path_below(str(base), str(file))))  # noqa: PTH120


def _placed(document: Document, problem: Problem, folder: Path, base: Path) -> Problem:
    return problem._replace(file=display_path(document, folder / (problem.file or ""), base))


def _texts(document: Document, key: str) -> Iterator[str]:
    found = document.get("code", key)
    yield from (text for text in found if isinstance(text, str)) if isinstance(found, list) else ()


def _rule_problems(document: Document) -> Iterator[Problem]:
    rules = list(_texts(document, "exclude"))
    if not rules:
        return
    from clarifai_build.source.ignoring.ignore_compiler import (
        FEWER,
        HINT,
        TOO_MANY,
        reason_against,
        too_many,
    )

    path: Steps = ("code", "exclude")
    if too_many(rules):
        yield document.problem("ignore-rule", TOO_MANY, path, key=True, hint=FEWER)
        return
    for index, rule in enumerate(document.get(*path)):
        if isinstance(rule, str) and (reason := reason_against(rule)):
            message = f"the rule '{rule}' never applies: {reason}"
            yield document.problem("ignore-rule", message, (*path, index), hint=HINT)


def _named(
    document: Document, folder: Path, base: Path, requirements: Path | None
) -> ReferencedFiles:
    labels = document.get("model", "labels")
    return ReferencedFiles(
        base / Path(document.name).name,
        folder,
        _artifact_names(document),
        base / labels if isinstance(labels, str) else None,
        requirements,
        [(source, to) for _, source, to in _weights(document)],
    )


def _artifact_names(document: Document) -> tuple[str, ...]:
    """Return what builds of the model are called; with an invalid id there are none."""
    model, model_type = document.get("model", "id"), document.get("model", "type")
    known = isinstance(model, str) and matches("id", model) and isinstance(model_type, str)
    if known and model_type in MODEL_TYPES:
        return artifact_names(model, model_type)
    return artifact_names("", "")


def _weights(document: Document) -> Iterator[tuple[int, str, str]]:
    weights = document.get("weights")
    for index in range(len(weights) if isinstance(weights, list) else 0):
        source, to = document.get("weights", index, "from"), document.get("weights", index, "to")
        if isinstance(source, str) and isinstance(to, str):
            yield index, source, to


def _clashes(
    document: Document, found: Iterable[SourceFile], folder: Path, base: Path
) -> Iterator[Problem]:
    files = {CODE + file.path: file for file in found}
    # Invalid targets are reported by `rules`, where they stand.
    weights = {CODE + to: index for index, _, to in _weights(document) if not target_problem(to)}
    of_target = {RUNNER_CONFIG} if document.get("target") == "runner" else set()
    for problem in conflicts(ALWAYS_WRITTEN | of_target, files, weights.keys()):
        code, message, path = problem.code, problem.message, problem.file or ""
        if path in weights:
            at = ("weights", weights[path], "to")
            yield document.problem(code, message, at, hint=problem.hint)
        else:
            file = in_folder(path)
            yield _placed(document, problem._replace(file=file), folder, base)
