"""The requirements that an imported model keeps, in a file beside the user's where they change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from clarifai_build.errors import ManifestError
from clarifai_build.repository_layout import REQUIREMENTS
from clarifai_build.requirements.inlined import Inlined, inline
from clarifai_build.requirements.reader import Line, text_of

# A file beside the user's, since an import changes nothing that exists.
KEPT_REQUIREMENTS = "requirements.serving.txt"
_SDK = re.compile(r"clarifai(?![\w.-])", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def requirements(
    folder: Path, notes: list[str], more: Iterable[str] = (), why: str = "the artifact needs none"
) -> tuple[str | None, dict[str, str]]:
    """Return the requirements file to name, and a new one where it can't stay as it is.

    The SDK is left out, for the reason `why`; `more` are lines from elsewhere, for packages that
    the file does not name.
    """
    file = folder / REQUIREMENTS
    found = inline(file, folder) if file.is_file() else None
    lines = found.lines if found else ()
    sdk = [line for _, line in lines if _SDK.match(line.requirement)]
    taken = {_name_of(line.requirement) for _, line in lines} - {""}
    added = [line for line in more if _name_of(line) not in taken and not _SDK.match(line)]
    if not sdk and not added:
        return (REQUIREMENTS if found else None), {}
    if sdk:
        dropped = ", ".join(line.text for line in sdk)
        notes.append(f"{REQUIREMENTS}: {dropped} ({why}; see {KEPT_REQUIREMENTS})")
    kept = _without(found, sdk) if found else []
    if kept and not kept[-1].endswith(("\n", "\r")):
        kept[-1] += "\n"
    return KEPT_REQUIREMENTS, {
        KEPT_REQUIREMENTS: "".join((*kept, *(f"{line}\n" for line in added)))
    }


def _name_of(requirement: str) -> str:
    found = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


def _without(found: Inlined, sdk: Sequence[Line]) -> list[str]:
    """Return the lines to keep; where an included file names the SDK, all in one file."""
    first = found.parts[0]
    if all(line in first.lines for line in sdk):
        gone = {number for line in sdk for number in range(line.first, line.last + 1)}
        # The ends stay as they are: tools differ in what ends a line.
        lines = text_of(first.content, first.shown).splitlines(keepends=True)
        return [line for number, line in enumerate(lines, 1) if number not in gone]
    # What could not be included would be lost here without a word.
    if lost := [problem for problem in found.problems if problem.code == "requirement-include"]:
        raise ManifestError(*lost)
    return [f"{line.text}\n" for _, line in found.lines if line not in sdk]
