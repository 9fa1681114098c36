"""Finds code that names what a default leaves out: it is not there where the model is served."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from clarifai_build.errors import Problem
from clarifai_build.source.build_records import beginning_of
from clarifai_build.source.source_file import SourceFile
from clarifai_build.source.walk import ExcludedFile, WalkResult

# Of these, content may be meant; what else stays out is made anew, private, or laid elsewhere.
_BUILT = "built artifacts"
_OF_CONTENT = frozenset(
    (
        *("cache", "virtual environment", "data version control", "records of training runs"),
        *(_BUILT, "a built artifact", "a rendered repository"),
    )
)
_MADE_ANEW = ("__pycache__", ".pyc", ".pyo", "node_modules")
# Bytes: as much code as anyone writes by hand.
_LARGEST = 1 << 20


def problems(found: WalkResult) -> Iterator[Problem]:
    """Yield a problem for each place where a packed Python file names a file that stays out.

    Paths in them are below the folder. A folder that is named is a warning: code may make it.
    """
    left = [item for item in found.left if _may_be_meant(item)]
    for file in found.files if left else ():
        if file.path.endswith(".py") and file.stamp.size <= _LARGEST:
            yield from _named_in(file, left)


def _may_be_meant(item: ExcludedFile) -> bool:
    return item.reason in _OF_CONTENT and not item.path.endswith(_MADE_ANEW)


def _named_in(file: SourceFile, left: Iterable[ExcludedFile]) -> Iterator[Problem]:
    content = beginning_of(file.file, _LARGEST)
    likely = [item for item in left if os.fsencode(item.path) in content]
    if not likely:
        return
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # told where it matters
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            path = node.value.removeprefix("./").rstrip("/")
            for item in likely:
                if (path == item.path and "." in path) or path.startswith(f"{item.path}/"):
                    yield _problem(file, node, path, item)


def _problem(file: SourceFile, node: ast.Constant, path: str, item: ExcludedFile) -> Problem:
    is_file = Path(item.file + path[len(item.path) :]).is_file()
    return Problem(
        "left-out",
        f"'{path}' is not in the artifact: {item.path} stays out ({item.reason})",
        file.path,
        node.lineno,
        node.col_offset + 1,
        len(path),
        _hint(item),
        "error" if is_file else "warning",
    )


def _hint(item: ExcludedFile) -> str:
    if item.reason == _BUILT:  # a rule has no say there
        return f"move it to another folder: what lies in {item.path} is taken for what builds wrote"
    bring, leave = f"`!/{item.path}`", f"`/{item.path}`"
    return (
        f"a line {bring} in .clarifaiignore brings it back, a line {leave} leaves it out for good"
    )
