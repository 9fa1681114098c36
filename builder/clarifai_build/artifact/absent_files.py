"""The files of a layout that are not on this machine: known weights, and what Git LFS can pull."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from clarifai_build.artifact.absent import Absent, absence
from clarifai_build.artifact.layout import Layout
from clarifai_build.digests.files import FileFacts, of_bytes
from clarifai_build.digests.known import KnownContent
from clarifai_build.errors import Problem, SourceError
from clarifai_build.repository_layout import CODE
from clarifai_build.source import lfs_pointer
from clarifai_build.source.content_checks import POINTER
from clarifai_build.source.lfs_pointer import Pointer
from clarifai_build.source.source_file import SourceFile, changed, unreadable
from clarifai_build.util.small_files import TooLargeError, read_small
from clarifai_build.weights.content_checks import is_remote


class AbsentFile(NamedTuple):
    """A file of the artifact: its mode, what is known of its content, and what stands for that."""

    mode: int
    content: KnownContent
    source: Absent


def absent_files(layout: Layout, facts: FileFacts) -> dict[str, AbsentFile]:
    """Return what is not on this machine, by path.

    Raises SourceError for pointers that are broken, or contradict what is known of their content.
    """
    found: dict[str, AbsentFile] = dict(_weights(layout))
    problems: list[Problem] = []
    for path, file in layout.files.items():
        if facts.findings.get(file.file) == POINTER and not _was_fetched(layout, path):
            absent = _of_file(layout, file, facts)
            if isinstance(absent, AbsentFile):
                found[path] = absent
            else:
                problems += absent
    if problems:
        raise SourceError(*problems)
    return found


def _was_fetched(layout: Layout, path: str) -> bool:
    """Return whether an address led to a pointer: nothing would pull that one."""
    weight = layout.weight_at(path.removeprefix(CODE))
    return weight is not None and is_remote(weight)


def _weights(layout: Layout) -> Iterator[tuple[str, AbsentFile]]:
    for path, content in layout.absent.items():
        problem = absence(path, f"the weight {path.removeprefix(CODE)} is not on this machine")
        yield path, AbsentFile(0o644, content, Absent(content.sha256, content.size, problem))


def _of_file(
    layout: Layout, file: SourceFile, facts: FileFacts
) -> AbsentFile | tuple[Problem, ...]:
    """Return what a pointer stands for; problems of one that is broken, none of one whose content
    only Git LFS can make."""
    try:
        pointer = _read(file, facts)
    except SourceError as error:
        return error.problems
    content = KnownContent(pointer.sha256, pointer.size)
    known = layout.known(pointer.sha256) if layout.known else None
    if known and known.size != pointer.size:
        what = f"it says {pointer.size} bytes, but the content of that SHA-256 has {known.size}"
        return (lfs_pointer.broken(file.path, file.file, what),)
    problem = layout.problem_of(file, POINTER)
    if pointer.extended or problem is None:
        return ()
    source = Absent(pointer.sha256, pointer.size, problem, file.file)
    return AbsentFile(0o755 if file.executable else 0o644, known or content, source)


def _read(file: SourceFile, facts: FileFacts) -> Pointer:
    """Read a pointer once more; raises SourceError unless it is the one that was found."""
    try:
        content = read_small(file.file, lfs_pointer.MAX_BYTES)
    except TooLargeError as error:
        raise SourceError(lfs_pointer.broken(file.path, file.file, str(error.strerror))) from error
    except OSError as error:
        raise SourceError(unreadable(file.file, error)) from error
    if of_bytes(content) != facts.digests[file.file]:
        raise SourceError(changed(file.file))
    try:
        return lfs_pointer.parse(content)
    except ValueError as error:
        raise SourceError(lfs_pointer.broken(file.path, file.file, str(error))) from error
