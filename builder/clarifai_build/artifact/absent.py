"""Content that is not on this machine, of which enough is known for a digest and a zip's layout."""

from __future__ import annotations

from typing import NamedTuple

from clarifai_build.errors import Problem, SourceError


class Absent(NamedTuple):
    """The source of an entry whose content is elsewhere: its SHA-256 as hex, its size in bytes.

    `problem` is what reading it raises, as a SourceError. `file` is what stands for it on this
    machine, if anything does: a pointer of Git LFS.
    """

    sha256: str
    size: int
    problem: Problem
    file: str = ""

    def error(self) -> SourceError:
        """Return what to raise where the content is needed after all."""
        return SourceError(self.problem)
