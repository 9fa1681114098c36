"""A runner's requirements.txt: one flat list for its Python, with the SDK that serves it first.

The platform's own tool splits lines at `==` and its like: markers and hashes break it, and a
requirement named clarifai in any other form than `clarifai==1.2.3` is none to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from clarifai_build.errors import Problem, SourceError
from clarifai_build.requirements.location import split_marker
from clarifai_build.requirements.markers import is_for_python
from clarifai_build.requirements.reader import Line, lines_of
from clarifai_build.targets.runner.sdk import CLARIFAI, CLARIFAI_FOR_NUMPY_1, OLDEST_NUMPY

# In the order in which the tool looks for them: it splits at the first that is there.
_SPLITTERS = ("==", ">=", ">", "<=", "<")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# With hashes, every line would need one; they are not in the list.
_ABOUT_HASHES = "--require-hashes"
# Of a release of numpy that goes with the newest SDK, where a requirement names no version itself.
_NUMPYS = (OLDEST_NUMPY, "2.1", "2.2", "2.3", "2.4", "2.5", "3.0")
_LOCK = "run `clarifai-build lock`, which pins it"


def flat(content: bytes, python: str, shown: str = "requirements.txt") -> bytes:
    """Return the flat list of a file that includes no other, for Linux and a Python.

    Raises SourceError for a line that the platform's tools can't read.
    """
    lines = [line for line in lines_of(content, shown) if _counts(line, python)]
    problems = [problem for line in lines if (problem := problem_of(line, shown))]
    if problems:
        raise SourceError(*problems)
    written = [text for line in lines if (text := _written(line)) and not is_sdk(text)]
    return "".join(f"{text}\n" for text in (sdk_of(lines), *written)).encode()


def sdk_of(lines: Iterable[Line]) -> str:
    """Return the SDK to install: that of the lines, or the newest that goes with their numpy."""
    requirements = [line.requirement for line in lines]
    named = next((one for one in requirements if is_sdk(one)), None)
    return named or f"clarifai=={fitting_sdk(requirements)}"


def fitting_sdk(requirements: Sequence[str]) -> str:
    """Return the newest release of the SDK that goes with the numpy of these requirements."""
    numpys = [one for one in requirements if _named(one) == "numpy"]
    return CLARIFAI if all(map(_takes_numpy_2, numpys)) else CLARIFAI_FOR_NUMPY_1


def is_sdk(requirement: str) -> bool:
    """Return whether a requirement is the SDK itself."""
    return _named(requirement) == "clarifai"


def problem_of(line: Line, shown: str) -> Problem | None:
    """Return why a line of a file can't stand in the list, or None where it can."""
    message = ""
    if line.requirement and line.options.keys() - {"--hash"}:
        message = f"a runner's requirements have no options of their own: {line.text}"
    elif line.requirement and _is_misread(split_marker(line.requirement)[0]):
        message = f"Clarifai's tool can't read '{line.requirement}': it splits it at each operator"
    if not message:
        return None
    return Problem("requirement-flat", message, shown, line.first, 1, len(line.text), hint=_LOCK)


def _counts(line: Line, python: str) -> bool:
    return not line.requirement or is_for_python(line.requirement, python)


def _written(line: Line) -> str:
    if not line.is_setting:
        return split_marker(line.requirement)[0] if line.requirement else line.text
    return "" if _ABOUT_HASHES in line.options else line.text


def _is_misread(requirement: str) -> bool:
    found = next((one for one in _SPLITTERS if one in requirement), None)
    return found is not None and len(requirement.split(found)) > 2


def _named(requirement: str) -> str:
    found = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


def _takes_numpy_2(requirement: str) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.version import Version

    try:
        bounds = Requirement(requirement).specifier
    except InvalidRequirement:
        return True
    named = (bound.version.removesuffix(".*") for bound in bounds)
    versions = map(Version, (*_NUMPYS, *named))
    return any(one >= Version(OLDEST_NUMPY) and bounds.contains(one) for one in versions)
