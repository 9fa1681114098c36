"""How the results of many models are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clarifai_build.cli.console import Console
from clarifai_build.errors import BuilderError
from clarifai_build.util.text import printable


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows in columns under their heads; the last column is as wide as it needs to be."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    )


def report_errors(errors: Mapping[str, BuilderError], console: Console) -> None:
    """Write the problems of each manifest for people."""
    for name, error in errors.items():
        # A problem that names its file needs no heading, unless there are several.
        if len(errors) > 1 or not any(problem.file for problem in error.problems):
            console.err(f"{name}:")
        console.problems(error.problems)


def error_json(name: str, error: BuilderError) -> dict[str, Any]:
    """Return the error of a manifest: its first problem, with the manifest and the others."""
    first, *others = [problem._asdict() for problem in error.problems]
    return {"manifest": name, "error": first, "others": others}
