"""Checks the files that a manifest names: labels, code, requirements. Code is read, never run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from clarifai_build.errors import Problem, SourceError
from clarifai_build.manifest.document import Document
from clarifai_build.manifest.labels import OWN_NAME, labels_in, unwritable
from clarifai_build.manifest.types import DEFAULT_PYTHON
from clarifai_build.manifest.yaml_reader import Steps
from clarifai_build.repository_layout import INFERENCE, MODEL, REQUIREMENTS, in_folder
from clarifai_build.util.real_paths import is_within, path_below, real_in
from clarifai_build.validation import requirements_file
from clarifai_build.validation.code_folder import display_path, is_file, missing, packed
from clarifai_build.validation.contents import secrets_in_files
from clarifai_build.validation.contents.label_forms import form_problem
from clarifai_build.validation.inference import inference_module

# A label's place in the file is what the model predicts: a line that goes moves all after it.
_IN_BETWEEN = "write the name of the class there; without the line, all classes below would move up"
_AT_THE_END = "remove the blank lines at the end"
# No file system takes more (Linux's PATH_MAX); to resolve one takes the square of its length.
LONGEST_PATH = 4096
_PYTHON = re.compile(r"3\.\d{1,2}")


def problems(document: Document, base: Path, *, locked: bool = False) -> Iterator[Problem]:
    """Yield every problem in the files that the document names; it stands in the folder `base`.

    With `locked`, requirements are pinned, or are about to be.
    """
    name = document.get("model", "labels")
    labels = None
    if isinstance(name, str) and name:
        path: Steps = ("model", "labels")
        labels, found = _named_file(document, base, name, path, "labels-missing")
        yield from found
        if labels:
            yield from _labels(document, labels, base, path)
    name = document.get("code", "requirements")
    requirements = None
    if isinstance(name, str) and name:
        path = ("code", "requirements")
        requirements, found = _named_file(document, base, name, path, "requirements-missing")
        yield from found
    yield from _code(document, base, labels, requirements, locked=locked)


def _named_file(
    document: Document, base: Path, name: str, path: Steps, missing: str
) -> tuple[Path | None, list[Problem]]:
    file = base / name
    if "${env:" in name:
        return None, []  # reported already: these fields take no references
    if len(name) > LONGEST_PATH:
        return None, [document.problem(missing, f"there is no file '{name}'", path)]
    if leaves(base, name):
        return None, [_outside(document, name, path)]
    if not is_file(file):
        return None, [document.problem(missing, f"there is no file '{name}'", path)]
    return file, []


def _outside(document: Document, name: str, path: Steps) -> Problem:
    return document.problem(
        "path-outside",
        f"'{name}' leads out of the manifest's folder",
        path,
        hint="use a path inside of it, so that the folder is all that a build needs",
    )


def leaves(base: Path, name: str) -> bool:
    """Return whether a path from `base`, which is resolved, leads out of it; links are followed."""
    try:
        return not is_within(str(base), real_in(str(base), name))
    except ValueError:  # a null character, or what no file system takes: it leads nowhere
        return True


def _labels(document: Document, file: Path, base: Path, path: Steps) -> Iterator[Problem]:
    name = display_path(document, file, base)
    try:
        lines = labels_in(file)
    except SourceError as error:
        yield from (problem._replace(file=name, line=1, column=1) for problem in error.problems)
        return
    if not any(line.strip() for line in lines):
        yield document.problem("labels-empty", f"'{file.name}' has no labels", path)
        return
    if problem := form_problem(lines, name):
        yield problem
        if problem.severity == "error":
            return
    first: dict[str, int] = {}
    last = max(number for number, line in enumerate(lines, 1) if line.strip())
    for number, line in enumerate(lines, 1):
        label = line.strip()
        if not label:
            hint = _AT_THE_END if number > last else _IN_BETWEEN
            yield Problem("label-blank", "a blank line is not a label", name, number, 1, hint=hint)
        elif why := unwritable(line):
            hint = "put a line feed in its place" if "\r" in line else "put a space in its place"
            yield Problem("label-characters", why, name, number, 1, len(line), hint=hint)
        elif label in first:
            message = f"label '{label}' is already on line {first[label]}"
            hint = OWN_NAME
            yield Problem("duplicate-label", message, name, number, 1, len(line), hint=hint)
        first.setdefault(label, number)


def _code(
    document: Document,
    base: Path,
    labels: Path | None,
    requirements: Path | None,
    *,
    locked: bool,
) -> Iterator[Problem]:
    """Look into the folder of the code; `labels` and `requirements` are named, and there."""
    name = document.get("code", "path")
    name = "." if name is None else name
    if not isinstance(name, str) or not name or "${env:" in name:
        return
    folder, path = base / name, ("code", "path")
    if len(name) > LONGEST_PATH:
        yield document.problem("code-missing", f"there is no folder '{name}'", path)
        return
    if leaves(base, name):
        yield _outside(document, name, path)
        return
    if problem := missing(document, folder, base):
        yield problem
        return
    checked = [file for file in (requirements, labels) if file]
    # The file is optional only where the manifest does not name it.
    if requirements is None and document.get("code", "requirements") is None:
        requirements = folder / REQUIREMENTS
    # Whatever lies there: a pipe, or a link that leads nowhere, would else be left out in silence.
    if requirements is not None and os.path.lexists(requirements):
        called = display_path(document, requirements, base)
        yield from requirements_file.problems(
            *(requirements, called, base),
            locked=locked,
            runner=document.get("target") == "runner",
            python=_python(document),
        )
    found = yield from packed(document, folder, base, requirements)
    inference = folder / in_folder(INFERENCE)
    others = [requirements if requirements not in checked else None, inference if found else None]
    inside = [file for file in others if file and _is_inside(file, base)]
    yield from _secrets(document, [*checked, *inside], folder, base)
    if found is None:
        return
    if in_folder(INFERENCE) in found:
        yield from inference_module.problems(
            document, inference, display_path(document, inference, base), requirements
        )
    elif in_folder(MODEL) not in found:
        yield _no_inference(document, name, is_file(inference))


def _python(document: Document) -> str:
    """Return the model's Python; where the manifest has none that can be, what it would be."""
    named = document.get("runner", "python") or document.get("code", "python")
    return named if isinstance(named, str) and _PYTHON.fullmatch(named) else DEFAULT_PYTHON


def _is_inside(file: Path, base: Path) -> bool:
    return is_file(file) and not leaves(base, path_below(str(base), str(file)))


def _secrets(
    document: Document, files: Iterable[Path], folder: Path, base: Path
) -> Iterator[Problem]:
    """Look into what is laid into the artifact, and is read here anyway."""
    allowed = document.get("code", "allow_secrets")
    for file in files:
        shown = partial(display_path, document, file, base)
        yield from secrets_in_files.problems(
            file, folder, shown, allowed if isinstance(allowed, list) else ()
        )


def _no_inference(document: Document, name: str, ignored: bool) -> Problem:
    path: Steps = ("code", "path")
    if ignored:
        message = f"inference.py in '{name}' is left out by .clarifaiignore or code.exclude"
        # After the rules of the file: it counts whichever of them leaves it out.
        hint = "bring it back by '!inference.py' as the last rule of code.exclude"
        return document.problem("inference-ignored", message, path, hint=hint)
    hint = "`clarifai-build init` writes one to start from"
    message = f"there is no inference.py in '{name}'"
    return document.problem("inference-missing", message, path, hint=hint)
