"""Checks a requirements file the way pip reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from clarifai_build.errors import Problem, cannot_read
from clarifai_build.util.small_files import MIB, read_small_text

MAX_BYTES = 4 * MIB

# What most lines are. packaging, which reads the others, takes long to import.
_PLAIN_REQUIREMENT = re.compile(
    r"(?!clarifai\b)[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?"
    r"(?:(?:==|>=|<=|!=|<|>)\d+(?:\.\d+)*(?:,(?:==|>=|<=|!=|<|>)\d+(?:\.\d+)*)*)?",
    re.IGNORECASE | re.ASCII,
)


def problems(file: Path, shown: str) -> Iterator[Problem]:
    """Yield what is wrong with the requirements in `file`, which problems call `shown`."""
    try:
        text = read_small_text(file, MAX_BYTES, "utf-8-sig", "replace")
    except OSError as error:
        yield cannot_read(shown, error)
        return
    for number, line in _logical_lines(text):
        if problem := _requirement(line, shown, number):
            yield problem


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each requirement with its line number, without comments and options."""
    joined, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start or number
        if line.endswith("\\"):
            joined += line[:-1]
            continue
        whole = (joined + line).strip()
        # As pip: '#' begins a comment only after white space, options such as --hash follow ' --'.
        whole = "" if whole.startswith("#") else whole.split(" #")[0]
        whole = whole.split(" --")[0].strip()
        if whole and not whole.startswith("-"):
            yield start, whole
        joined, start = "", 0


def _requirement(line: str, shown: str, number: int) -> Problem | None:
    if "://" in line.split("@")[0] or line.startswith((".", "/")):
        return None  # an address or a path, which pip reads by itself
    if _PLAIN_REQUIREMENT.fullmatch(line):
        return None
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(line)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        message = f"pip can't read this requirement: {reason}"
        return Problem("requirement-syntax", message, shown, number, 1, len(line))
    pinned = any(spec.operator in ("==", "===") for spec in requirement.specifier)
    if requirement.name.lower() == "clarifai" and not pinned and not requirement.url:
        return Problem(
            "clarifai-unpinned",
            "clarifai without an exact version: it changes under the model",
            shown,
            number,
            1,
            len(line),
            hint="remove it: the runtime in the artifact has all that the model needs",
        )
    return None
