"""From a file to a manifest that passed every check, or all problems at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from clarifai_build.errors import ManifestError, Problem
from clarifai_build.manifest import environment
from clarifai_build.manifest.document import Document, read
from clarifai_build.manifest.parse import from_document
from clarifai_build.manifest.types import FILE_NAME, Manifest
from clarifai_build.source.named_files import lock_of
from clarifai_build.validation import named_files, rules, texts, trial_request
from clarifai_build.validation.code_folder import is_file
from clarifai_build.validation.limits import found_by, told
from clarifai_build.validation.schema_checker import schema_problems
from clarifai_build.validation.target import rules as target


@dataclass(frozen=True)
class Examined:
    """A document with all that was found in it; it lies at `path`, without symbolic links."""

    document: Document | None
    path: Path
    problems: tuple[Problem, ...]
    origins: Mapping[tuple[str | int, ...], str]

    @cached_property
    def manifest(self) -> Manifest | None:
        """The manifest; None where there are errors. Made when it is asked for."""
        if self.document is None or self.errors:
            return None
        return from_document(self.document, self.path)

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "error")


def load(
    path: Path, environ: Mapping[str, str], *, offline: bool = False, locking: bool = False
) -> Manifest:
    """Load the manifest at `path`, a file or a folder that holds `clarifai.yaml`.

    Raise ManifestError with every problem at once. With `offline`, environment variables that only
    storage and clarifai name may be unset; their references then stay as they are written. With
    `locking`, requirements may be such as only a lock can be made of.
    """
    examined = examine(path, environ, offline=offline, locking=locking)
    if examined.manifest is None:
        raise ManifestError(*examined.errors)
    return examined.manifest


def examine(
    path: Path, environ: Mapping[str, str], *, offline: bool = False, locking: bool = False
) -> Examined:
    """Read the manifest at `path` and check it, the schema first, then the rules beyond it."""
    if os.path.isdir(path):  # noqa: PTH112 - unlike Path.is_dir, False without access
        path = path / FILE_NAME
    try:
        document = read(path)
    except ManifestError as error:
        return Examined(None, path, error.problems, {})
    return examine_document(document, path, environ, offline=offline, locking=locking)


def examine_document(
    document: Document,
    path: Path,
    environ: Mapping[str, str],
    *,
    offline: bool = False,
    locking: bool = False,
) -> Examined:
    """Check a document as if it stood at `path`."""
    resolved = environment.resolve(document, environ, offline=offline)
    document, path = resolved.document, path.resolve()
    found = found_by(
        document.problems,
        resolved.problems,
        schema_problems(document),
        rules.problems(document),
        target.problems(document),
        named_files.problems(document, path.parent, locked=locking or is_file(lock_of(path))),
        trial_request.problems(document, path.parent),
    )
    found += found_by(texts.unwritable(document, {(one.line, one.column) for one in found}))
    # The manifest first: what is wrong in it often explains the rest.
    found.sort(
        key=lambda problem: (
            *(problem.file != document.name, problem.file or ""),
            *(problem.line or 0, problem.column or 0),
        )
    )
    return Examined(document, path, tuple(told(found)), resolved.origins)
