"""Secrets in the files that a check reads anyway: told before a build, with their lines."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from clarifai_build.errors import Problem
from clarifai_build.source.content_checks import RULES, content_problem
from clarifai_build.util.small_files import read_small


def problems(
    file: Path, folder: Path, shown: Callable[[], str], allowed: Collection[str]
) -> Iterator[Problem]:
    """Yield a problem for each line of a file that holds a secret.

    `shown` says what it is called; `allowed` are paths below `folder` that may hold some. What
    can't be read is another check's to tell, and large files are left to the build.
    """
    try:
        content = read_small(file, RULES.largest)
    except OSError:
        return
    if not (finding := RULES.finding(content)):
        return
    problem = content_problem(finding, os.path.relpath(file, folder), shown(), allowed)
    # What is a pointer, whoever wanted its content says.
    if problem is None or problem.code != "secret":
        return
    lines = dict.fromkeys(
        (content.count(b"\n", 0, found.start) + 1, found.name)
        for found in RULES.search.all(content)
    )
    # In another encoding, lines are not where line breaks seem to be.
    yield from [_at(problem, finding, name, line) for line, name in sorted(lines)] or [problem]


def _at(problem: Problem, finding: str, name: str, line: int) -> Problem:
    message = problem.message.replace(f"holds {finding}", f"holds {name}")
    return problem._replace(message=message, line=line, column=1)
