"""Checks a requirements file: what pip would refuse, and what can't be installed elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from clarifai_build.errors import Problem, SourceError
from clarifai_build.manifest.types import DEFAULT_PYTHON
from clarifai_build.requirements.conflicts import conflicts
from clarifai_build.requirements.inlined import Inlined, Part, inline
from clarifai_build.requirements.location import location_of
from clarifai_build.requirements.portable import conda_version
from clarifai_build.requirements.reader import Line
from clarifai_build.source.content_checks import is_pointer
from clarifai_build.validation.target.runner_requirements import misread, unfit_sdk

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# What most lines are. packaging, which reads the others, takes long to import.
_PLAIN_REQUIREMENT = re.compile(
    r"(?!clarifai\b)[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?"
    r"(?:(?:==|>=|<=|!=|<|>)\d+(?:\.\d+)*(?:,(?:==|>=|<=|!=|<|>)\d+(?:\.\d+)*)*)?",
    re.IGNORECASE | re.ASCII,
)
_OF_CONDA = "list them as pip does: `pip list --format=freeze > requirements.txt`"


def problems(
    file: Path,
    shown: str,
    base: Path | None = None,
    *,
    locked: bool = False,
    runner: bool = False,
    python: str = DEFAULT_PYTHON,
) -> Iterator[Problem]:
    """Yield what is wrong with the requirements in `file`, which problems call `shown`.

    What it includes has to lie in `base`, or else beside it. With `locked`, pins stand in the
    artifact in place of its lines; with `runner`, a flat list does, and clarifai is one of them.
    They are for the version of `python`, such as "3.11".
    """
    try:
        found = inline(file, base or file.parent, shown, locked=locked)
    except SourceError as error:
        yield from error.problems
        return
    pointers = [part for part in found.parts if is_pointer(part.content)]
    if pointers:
        yield from (_pointer(part) for part in pointers)
        return
    yield from found.problems
    yield from _of_lines(found, unfit_sdk if runner else _unpinned)
    yield from conflicts(found, python)
    if runner and not locked:
        yield from misread(found)


def _pointer(part: Part) -> Problem:
    from clarifai_build.source.lfs_pointer import pull

    hint = f"run `{pull(part.file)}`"
    message = f"{part.shown} is a Git LFS pointer, not the file itself"
    return Problem("lfs-pointer", message, part.shown, 1, 1, hint=hint)


_OfClarifai = Callable[["Part", "Line", "Requirement"], "Problem | None"]


def _of_lines(found: Inlined, of_clarifai: _OfClarifai) -> Iterator[Problem]:
    for part in found.parts:
        for line in part.lines:
            if problem := _of_line(part, line, of_clarifai):
                yield problem


def _of_line(part: Part, line: Line, of_clarifai: _OfClarifai) -> Problem | None:
    text = line.requirement
    if line.error:
        return part.problem(line, "requirement-syntax", line.error, "correct it, or remove it")
    if not text or line.variables or _PLAIN_REQUIREMENT.fullmatch(text):
        return None
    if pinned := conda_version(text):
        message = f"conda writes '{text}'; to pip it is {pinned}"
        return part.problem(line, "requirement-syntax", message, _OF_CONDA)
    location = location_of(text)
    if location and not location.name:
        return None  # an address or a path, which pip reads by itself
    return _named(part, line, of_clarifai)


def _named(part: Part, line: Line, of_clarifai: _OfClarifai) -> Problem | None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(line.requirement)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        message = f"pip can't read this requirement: {reason}"
        return part.problem(line, "requirement-syntax", message)
    return of_clarifai(part, line, requirement) if requirement.name.lower() == "clarifai" else None


def _unpinned(part: Part, line: Line, requirement: Requirement) -> Problem | None:
    """Return what is wrong with clarifai among what Triton installs: nothing there needs it."""
    if requirement.url or any(spec.operator in ("==", "===") for spec in requirement.specifier):
        return None
    return part.problem(
        line,
        "clarifai-unpinned",
        "clarifai without an exact version: it changes under the model",
        "remove it: the runtime in the artifact has all that the model needs",
    )
