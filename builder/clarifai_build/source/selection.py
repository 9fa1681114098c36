"""The walk by a manifest's rules: which files of a folder go in, and which stay out."""

from __future__ import annotations

import os
from pathlib import Path

from clarifai_build.errors import Problem
from clarifai_build.source.checkout_gaps import missing_files
from clarifai_build.source.ignoring.ignore import Rules
from clarifai_build.source.named_files import ReferencedFiles
from clarifai_build.source.own_files import exclude_own_files
from clarifai_build.source.walk import WalkResult, walk


def select_files(
    named: ReferencedFiles, exclude: tuple[str, ...], output: Path | None = None
) -> WalkResult:
    """Walk the folder of a manifest that names these files, and excludes others by rules."""
    root = os.path.realpath(named.folder)
    rules = Rules.of(named.folder, exclude, named.elsewhere, named.built(output, root))
    found = exclude_own_files(walk(named.folder, rules), rules)
    found.problems.extend(missing_files(Path(root), rules, found.empty))
    return found


def place_of(problem: Problem) -> tuple[str, str]:
    """Return the sort key of problems that were found in no particular order."""
    return problem.file or "", problem.code
