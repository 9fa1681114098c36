"""Files that stand in each other's way in an artifact, found by their names alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from clarifai_build.errors import Problem
from clarifai_build.repository_layout import (
    CODE,
    MEANT_TO_BE_REPLACED,
    MODEL,
    RUNNER_CONFIG,
    RUNTIME,
)
from clarifai_build.source.ignoring.ignore import IGNORE_FILE
from clarifai_build.source.portable_names import name_problems
from clarifai_build.source.source_file import SourceFile, unreadable
from clarifai_build.util.python_code import MAX_BYTES
from clarifai_build.util.small_files import read_small

_WRITTEN = "a generated file"


def conflicts(
    written: Collection[str], files: Mapping[str, SourceFile], weights: Collection[str]
) -> list[Problem]:
    """Return the conflicts between the paths of the user's files, weights and generated files.

    `written` are the generated ones.
    """
    return [
        *_of_weights(files, weights),
        *_of_written(written, files, weights),
        *name_problems({*written, *files, *weights}),
    ]


def _of_weights(files: Mapping[str, SourceFile], weights: Collection[str]) -> Iterator[Problem]:
    for path in sorted(files.keys() & set(weights)):
        yield _overlap(files[path].file, path, f"the weight {path.removeprefix(CODE)}")


def _of_written(
    written: Collection[str], files: Mapping[str, SourceFile], weights: Collection[str]
) -> Iterator[Problem]:
    for path in sorted(_taken(written, files)):
        file = files[path].file
        # A runner's methods are declared to the platform as the generated model.py has them.
        if path == MODEL and RUNNER_CONFIG not in written:
            yield from _of_model(file)
        elif path not in MEANT_TO_BE_REPLACED:
            yield _overlap(file, path, _WRITTEN)
    for path in sorted(_taken(written, weights)):
        problem = _overlap(f"the weight {path.removeprefix(CODE)}", path, _WRITTEN)
        yield problem._replace(file=path, hint="choose another `to`")


def _taken(written: Collection[str], paths: Collection[str]) -> set[str]:
    # All of the runtime folder: a newer runtime may have files that this one lacks.
    taken = {path for path in written if path in paths}
    return taken | {path for path in paths if path.startswith(RUNTIME)}


def _of_model(file: str) -> Iterator[Problem]:
    """Refuse a user's model.py that can't replace the generated one."""
    try:
        content = read_small(file, MAX_BYTES)
    except OSError as exc:
        yield unreadable(file, exc)
        return
    # Triton's Python backend looks for this class: without it, the file is an ordinary module.
    if b"class TritonPythonModel" not in content:
        yield _overlap(file, MODEL, _WRITTEN)


def _overlap(file: str, path: str, other: str) -> Problem:
    return Problem(
        "overlap",
        f"{file} conflicts with {other} at {path} in the artifact",
        file=file,
        hint=f"rename it, or leave it out by a line in {IGNORE_FILE}",
    )
