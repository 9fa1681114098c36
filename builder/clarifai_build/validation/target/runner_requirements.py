"""Checks what a runner's requirements have to be beside what pip reads: flat, the SDK a fit one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from clarifai_build.errors import Problem
from clarifai_build.requirements.inlined import Inlined, Part
from clarifai_build.requirements.reader import Line
from clarifai_build.targets.runner.requirements import problem_of
from clarifai_build.targets.runner.sdk import CLARIFAI, OLDEST_CLARIFAI

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# As Clarifai's own tool reads it.
_SDK_PIN = re.compile(r"clarifai==(\d+(?:\.\d+)*)", re.ASCII)


def misread(found: Inlined) -> Iterator[Problem]:
    """Yield the lines that can't stand in one flat list."""
    for part, line in found.lines:
        if problem := problem_of(line, part.shown):
            yield problem


def unfit_sdk(part: Part, line: Line, requirement: Requirement) -> Problem | None:
    """Return what is wrong with clarifai where it serves the model: one form alone is read."""
    from packaging.version import Version

    pin = _SDK_PIN.fullmatch(line.requirement)
    if pin and Version(pin[1]) >= Version(OLDEST_CLARIFAI):
        return None
    return part.problem(
        line,
        "clarifai-version",
        f"a runner takes clarifai {OLDEST_CLARIFAI} or newer, as in clarifai=={CLARIFAI}",
        f"remove '{requirement}': the build names the release that fits",
    )
