"""Requirements of one package that no version satisfies: pip refuses them all."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from clarifai_build.errors import Problem
from clarifai_build.requirements.inlined import Inlined, Part
from clarifai_build.requirements.markers import is_for_python
from clarifai_build.requirements.reader import Line

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HINT = (
    "keep the one that the model was made with; where they are for different machines, give each a "
    "marker"
)
# Of one package: who has more lines of it has a generated file.
_MOST = 100


class _Wanted(NamedTuple):
    part: Part
    line: Line
    versions: SpecifierSet


def conflicts(found: Inlined, python: str) -> Iterator[Problem]:
    """Yield a problem at each line that excludes what an earlier one pins, for a Python's version.

    Lines that pip passes over on Linux, by their markers, exclude nothing.
    """
    named: dict[str, list[tuple[Part, Line]]] = defaultdict(list)
    for part, line in (*found.lines, *found.constraints):
        if match := _NAME.match(line.requirement):
            named[re.sub(r"[-_.]+", "-", match[0]).lower()].append((part, line))
    for lines in named.values():
        # packaging takes long to import, and nearly always each package has one line.
        if len(lines) > 1:
            yield from _among(list(_wanted(lines[:_MOST], python)))


def _wanted(lines: Sequence[tuple[Part, Line]], python: str) -> Iterator[_Wanted]:
    from packaging.requirements import InvalidRequirement, Requirement

    for part, line in lines:
        try:
            requirement = Requirement(line.requirement)
        except InvalidRequirement:
            continue
        if not requirement.url and is_for_python(line.requirement, python):
            yield _Wanted(part, line, requirement.specifier)


def _among(wanted: Sequence[_Wanted]) -> Iterator[Problem]:
    for number, (part, line, versions) in enumerate(wanted):
        for earlier in wanted[:number]:
            if _exclude(earlier.versions, versions):
                place = f"{earlier.part.shown}:{earlier.line.first}"
                message = f"'{line.requirement}' excludes '{earlier.line.requirement}' ({place})"
                yield part.problem(line, "requirement-conflict", message, _HINT)
                break


def _exclude(one: SpecifierSet, other: SpecifierSet) -> bool:
    """Return whether a version is pinned, and none that is pinned satisfies both."""
    pins = [each.version for each in (*one, *other) if _pins(each.operator, each.version)]
    both = one & other
    return bool(pins) and not any(both.contains(pin, prereleases=True) for pin in pins)


def _pins(operator: str, version: str) -> bool:
    return operator == "===" or (operator == "==" and not version.endswith(".*"))
