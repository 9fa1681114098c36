"""A requirements file with those that it includes, as the one file that travels with a model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from clarifai_build.errors import Problem, SourceError
from clarifai_build.requirements.location import Location, is_local
from clarifai_build.requirements.portable import findings
from clarifai_build.requirements.reader import Line, content_of, lines_of
from clarifai_build.requirements.text import is_utf8
from clarifai_build.util.real_paths import is_within


class Part(NamedTuple):
    """A file as it was found: its content, what errors call it, and its lines."""

    file: Path
    shown: str
    content: bytes
    lines: tuple[Line, ...]

    @classmethod
    def of(cls, file: Path, shown: str) -> Part:
        """Read a file. Raises SourceError."""
        content = content_of(file, shown)
        return cls(file, shown, content, lines_of(content, shown))

    def problem(self, line: Line, code: str, message: str, hint: str | None = None) -> Problem:
        """Return a problem at a line."""
        return Problem(code, message, self.shown, line.first, 1, len(line.text), hint)

    def beside(self, name: str) -> tuple[Path, str]:
        """Return where a file lies that this one names, and what errors call it."""
        return self.file.parent / name, os.path.normpath(Path(self.shown).parent / name)


class Inlined(NamedTuple):
    """All parts in the order in which pip reads them, their lines, and what is wrong.

    In `lines`, those of an included file stand in place of the line that names it. Of files of
    constraints they hold the options; the rest of those is in `constraints`.
    """

    parts: tuple[Part, ...]
    lines: tuple[tuple[Part, Line], ...]
    constraints: tuple[tuple[Part, Line], ...]
    problems: tuple[Problem, ...]

    @property
    def content(self) -> bytes:
        """The file that says all of it: as it was written, where it says so by itself."""
        first = self.parts[0]
        if first.lines == tuple(line for _, line in self.lines) and is_utf8(first.content):
            return first.content
        return "".join(f"{line}\n" for line in self._written()).encode()

    def _written(self) -> Iterator[str]:
        before = self.parts[0]
        for part, line in self.lines:
            if part is not before:
                yield f"# {part.file.name}"
                before = part
            yield line.text


def inline(file: Path, base: Path, shown: str = "", *, locked: bool = False) -> Inlined:
    """Read `file` and what it includes, each once, and find what works on this machine alone.

    What is included has to lie in the folder `base`. With `locked`, pins stand in the artifact in
    place of these lines. Raises SourceError where `file` itself can't be read.
    """
    reading = _Reading(base, locked)
    reading.read(Part.of(file, shown or str(file)))
    lines, constraints = tuple(reading.lines), tuple(reading.constraints)
    return Inlined(tuple(reading.parts), lines, constraints, tuple(reading.problems))


class _Reading:
    def __init__(self, base: Path, locked: bool) -> None:
        self.base, self.locked = base, locked
        self.parts: list[Part] = []
        self.lines: list[tuple[Part, Line]] = []
        self.constraints: list[tuple[Part, Line]] = []
        self.problems: list[Problem] = []
        self.seen: set[str] = set()

    def read(self, part: Part) -> None:
        """Take the lines of a file, and of what it includes."""
        self.parts.append(part)
        for line in part.lines:
            for found in findings(line, locked=self.locked):
                problem = part.problem(line, found.code, found.message, found.hint)
                self.problems.append(problem._replace(severity=found.severity))
            self.take(part, line)

    def take(self, part: Part, line: Line) -> None:
        """Take a line, or what it includes in its place."""
        names = line.included + line.constrained_by
        if len(names) > 1:
            message = f"pip follows only the first of {' and '.join(names)}"
            self.problems.append(part.problem(line, "requirement-include", message, _A_LINE_EACH))
        elif not names or not is_local(names[0]):
            self.lines.append((part, line))  # of an address: pip fetches it where it installs
        elif included := self.included(part, line, names[0]):
            self.enter(line, included)

    def enter(self, line: Line, included: Part) -> None:
        """Read an included file; what one of constraints names is not to be installed."""
        before = len(self.lines)
        self.read(included)
        if line.constrained_by:
            read = self.lines[before:]
            self.lines[before:] = [item for item in read if item[1].is_setting]
            self.constraints += [item for item in read if not item[1].is_setting]

    def included(self, part: Part, line: Line, name: str) -> Part | None:
        """Read a file that a line names; None with a problem, or where it was read before."""
        file, shown = part.beside(name)
        # Here, as most files include no other.
        self.seen = self.seen or {os.path.realpath(part.file)}
        try:
            real = os.path.realpath(file)
            if real in self.seen:
                return None
            if reason := self.unreachable(name, real):
                hint = "name it by its path from this file, inside of the manifest's folder"
                self.problems.append(part.problem(line, "requirement-include", reason, hint))
                return None
            found = Part.of(file, shown)
            self.seen.add(real)
            return found
        except SourceError as error:
            (problem,) = error.problems
            if problem.code == "unreadable":
                problem = part.problem(line, "requirement-include", problem.message, _CORRECT)
            self.problems.append(problem)
            return None

    def unreachable(self, name: str, real: str) -> str:
        """Return why an included file is not part of the model's sources; nothing where it is."""
        if not Location(name).is_path or Path(name).is_absolute():
            return f"'{name}' is a place on this machine"
        if not is_within(os.path.realpath(self.base), real):
            return f"'{name}' leads out of the manifest's folder"
        return ""


_A_LINE_EACH = "write each on a line of its own"
_CORRECT = "correct its name, or remove the line"
