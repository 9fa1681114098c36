"""Content that is not on this machine, of which enough is known for a digest and a zip's layout."""

from __future__ import annotations

from typing import NamedTuple

from clarifai_build.errors import Problem, SourceError


class AbsentContentError(SourceError):
    """Content is needed that is not on this machine: with it, the same may succeed."""


class Absent(NamedTuple):
    """The source of an entry whose content is elsewhere: its SHA-256 as hex, its size in bytes.

    `problem` is what reading it raises, as an AbsentContentError. `file` is what stands for it on
    this machine, if anything does: a pointer of Git LFS. `fetched` are ranges of the content that
    can be read all the same, as the offset and the bytes of each.
    """

    sha256: str
    size: int
    problem: Problem
    file: str = ""
    fetched: tuple[tuple[int, bytes], ...] = ()

    def read(self, start: int, length: int) -> bytes:
        """Return a range that was fetched; raises AbsentContentError for any other."""
        for offset, data in self.fetched:
            if offset <= start and start + length <= offset + len(data):
                return data[start - offset : start - offset + length]
        raise self.error()

    def holds(self, start: int, length: int) -> bool:
        """Return whether a range was fetched."""
        ends = ((offset, offset + len(data)) for offset, data in self.fetched)
        return not length or any(s <= start and start + length <= e for s, e in ends)

    def error(self) -> AbsentContentError:
        """Return what to raise where the content is needed after all."""
        return AbsentContentError(self.problem)


def absence(path: str, message: str) -> Problem:
    """Return the problem of a file whose content can be fetched, and was not."""
    hint = "run again; what is needed is fetched from where the manifest says"
    return Problem("content-absent", message, file=path, hint=hint)
