"""Which files go where in an artifact, before their content is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from clarifai_build.errors import Problem, SourceError
from clarifai_build.source.conflicts import CODE, clashes
from clarifai_build.source.content_checks import key_files
from clarifai_build.source.ignore import Rules
from clarifai_build.source.named_files import Named, leave_told
from clarifai_build.source.walk import Found, Walk, walk

if TYPE_CHECKING:
    from clarifai_build.manifest.types import Manifest


class Layout(NamedTuple):
    """Which files go where, before their content is looked at."""

    generated: Mapping[str, bytes]
    files: Mapping[str, Found]

    def with_weights(self, located: Sequence[Found]) -> Layout:
        """Lay weights below the code, too, whose names `gather` has looked at."""
        return self._replace(files={**self.files, **{CODE + file.path: file for file in located}})

    @property
    def found(self) -> list[Found]:
        """The files that are read."""
        return list(self.files.values())


def gather(
    generated: Mapping[str, bytes],
    manifest: Manifest,
    output: Path | None = None,
) -> Layout:
    """Find the user's files, and refuse all that shows without reading them.

    Weights are known by their names alone, so that nothing is fetched in vain.
    """
    walked = look_around(manifest, output)
    sources = {CODE + file.path: file for file in walked.files}
    weights = {CODE + weight.to for weight in manifest.weights}
    problems = [
        *walked.problems,
        *clashes(generated.keys(), sources, weights),
        *key_files(walked.files, manifest.code.allow_secrets),
    ]
    if problems:
        raise SourceError(*sorted(problems, key=place_of))
    written = {path: data for path, data in generated.items() if path not in sources}
    return Layout(written, sources)


def look_around(manifest: Manifest, output: Path | None = None) -> Walk:
    """Walk the user's folder: what goes in, what stays out and why, and what can't go in.

    `output` is the zip that is about to be written.
    """
    return look(Named.of(manifest), manifest.code.exclude, output)


def look(named: Named, exclude: tuple[str, ...], output: Path | None = None) -> Walk:
    """Walk the folder of a manifest that names these files, and excludes others by rules."""
    rules = Rules.of(named.folder, exclude, named.elsewhere, named.built(output))
    return leave_told(walk(named.folder, rules))


def place_of(problem: Problem) -> tuple[str, str]:
    """Return what to sort problems by that were found in no order."""
    return problem.file or "", problem.code
