"""Check manifests, offline and without credentials, and show every problem at once.

A folder stands for every `clarifai.yaml` and `*.clarifai.yaml` in it.
"""

from __future__ import annotations

import argparse
import os
from contextlib import suppress
from pathlib import Path

from clarifai_build.cli.console import Console
from clarifai_build.deploy.fleet import failure
from clarifai_build.errors import BuilderError, ManifestError, Problem
from clarifai_build.manifest.discovery import search
from clarifai_build.manifest.unseen import not_checked_out
from clarifai_build.reports import problems as report
from clarifai_build.util.vcs.process import GitError
from clarifai_build.validation.load import examine


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "paths", nargs="*", type=Path, default=[Path()], metavar="FILE|FOLDER",
        help="manifests, or folders with manifests (default: this folder)",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", choices=["text", "json", "github", "sarif"], default="text",
        help="how to write the problems (default: text)",
    )  # fmt: skip


def run(args: argparse.Namespace, console: Console) -> int:
    """Validate, write the findings to stdout, and return 3 where there are errors."""
    found = search(args.paths)
    files = found.manifests
    problems: list[Problem] = [*found.passed_over]
    # That Git does not say what is missing is no fault of a manifest.
    with suppress(GitError):
        problems += not_checked_out(found.folders)

    def look(file: Path) -> None:
        problems.extend(examine(file, os.environ, offline=True).problems)

    bugs: list[BuilderError] = []
    # A crash on one manifest is reported with it, and the others are still checked.
    for file in files:
        if bug := failure(look, file):
            problems += [problem._replace(file=str(file)) for problem in bug.problems]
            bugs.append(bug)
    if args.output == "json":
        console.json(report.as_json(problems))
    elif args.output == "sarif":
        console.out_lines(report.sarif(problems))
    elif problems and args.output == "github":
        console.commands(report.github(problems))
    elif problems:
        console.findings(problems)
    console.err(_summary(problems, len(files)))
    if bugs:
        return bugs[0].exit_code
    failed = any(problem.severity == "error" for problem in problems)
    return ManifestError.exit_code if failed else 0


def _summary(problems: list[Problem], files: int) -> str:
    checked = "1 manifest" if files == 1 else f"{files} manifests"
    if not problems:
        return f"{checked}: no problems"
    counts = [
        f"{count} {kind}{'s' if count > 1 else ''}"
        for kind in ("error", "warning")
        if (count := sum(problem.severity == kind for problem in problems))
    ]
    return f"{checked}: {', '.join(counts)}"
