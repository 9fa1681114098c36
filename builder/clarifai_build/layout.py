"""Which files go where in an artifact, before their content is looked at."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from clarifai_build.ignore import IGNORE_FILE, Rules
from clarifai_build.problem import Problem, SourceError
from clarifai_build.progress import Listener
from clarifai_build.walk import Found, Left, Walk, walk

if TYPE_CHECKING:
    from clarifai_build.manifest import Manifest

CODE = "1/"
_RUNTIME = "1/clarifai_runtime/"
_RECORDS = (".provenance.json", ".sbom.json")
_TELLING = (".dvc", ".zip" + _RECORDS[0])
_MEANT_TO_BE_REPLACED = frozenset({"1/__init__.py", "1/inference.py", "1/test.py"})


class Layout(NamedTuple):
    """Which files go where, before their content is looked at."""

    generated: Mapping[str, bytes]
    files: Mapping[str, Found]

    @property
    def found(self) -> list[Found]:
        """The files that are read."""
        return list(self.files.values())


def gather(
    generated: Mapping[str, bytes],
    manifest: Manifest,
    listen: Listener,
    output: Path | None = None,
) -> Layout:
    """Find the user's files and the weights, and refuse those that stand in each other's way."""
    sources = {CODE + file.path: file for file in look_around(manifest, output).files}
    fetched = _weights(manifest, listen)
    _refuse_overlaps(generated, sources, fetched)
    written = {path: data for path, data in generated.items() if path not in sources}
    return Layout(written, {**sources, **fetched})


def look_around(manifest: Manifest, output: Path | None = None) -> Walk:
    """Walk the user's folder: what goes in, and what stays out and why.

    `output` is the zip that is about to be written.
    """
    folder = manifest.code.path
    rules = Rules.of(folder, manifest.code.exclude, _laid_elsewhere(manifest, output))
    files, left, problems = walk(folder, rules)
    if problems:
        raise SourceError(*problems)
    out = _told_by_others(files) if any(f.path.endswith(_TELLING) for f in files) else {}
    if out:
        left += [Left(file.path, file.file, reason) for file, reason in out.items()]
        files = [file for file in files if file not in out]
    return Walk(files, left, problems)


def _told_by_others(files: Sequence[Found]) -> dict[Found, str]:
    """Return the files that stay out because of what lies beside them, and why."""
    pulled = dict.fromkeys(_pulled_by_dvc(files), "data version control")
    return pulled | _built_before(files)


def _built_before(files: Sequence[Found]) -> dict[Found, str]:
    """Return the zips that have a provenance beside them, with their records."""
    zips = {
        f.path.removesuffix(_RECORDS[0]) for f in files if f.path.endswith(".zip" + _RECORDS[0])
    }
    built = {file: "a built artifact" for file in files if file.path in zips}
    beside = {file.path + record for file in built for record in _RECORDS}
    return built | {file: "a record of a built artifact" for file in files if file.path in beside}


def _pulled_by_dvc(files: Sequence[Found]) -> list[Found]:
    """Return the `.dvc` files whose data is there, which say nothing to a server."""
    pointers = [file for file in files if file.path.endswith(".dvc")]
    present = {file.path for file in files} if pointers else frozenset()
    return [file for file in pointers if file.path.removesuffix(".dvc") in present]


def _laid_elsewhere(manifest: Manifest, output: Path | None) -> dict[str, str]:
    """Paths below the user's folder that are no part of the code, and what they are."""
    beside = manifest.path.parent
    model = manifest.model
    elsewhere = {
        manifest.path: "the manifest",
        manifest.path.with_suffix(".lock"): "the lock",
        beside / "dist": "built artifacts",
        manifest.code.path / IGNORE_FILE: "ignore rules",
    }
    for built in (beside / f"{model.id}_{model.type}.zip", output):
        if built is not None:
            elsewhere[built] = "a built artifact"
            for record in _RECORDS:
                elsewhere[built.with_name(built.name + record)] = "a record of a built artifact"
    if isinstance(model.labels, Path):
        elsewhere[model.labels] = "laid at the root as labels.txt"
    if manifest.code.requirements is not None:
        elsewhere[manifest.code.requirements] = "laid at the root as requirements.txt"
    for weight in manifest.weights:
        if "://" not in weight.source:
            elsewhere[beside / weight.source] = f"a weight, laid at {weight.to}"
    root = manifest.code.path.absolute()
    return {
        os.path.relpath(path, root).replace(os.sep, "/"): reason
        for path, reason in elsewhere.items()
    }


def _weights(manifest: Manifest, listen: Listener) -> dict[str, Found]:
    if not manifest.weights:
        return {}
    from clarifai_build import weights

    return {CODE + file.path: file for file in weights.locate(manifest, listen)}


def _refuse_overlaps(
    generated: Mapping[str, bytes], sources: Mapping[str, Found], fetched: Mapping[str, Found]
) -> None:
    problems = [
        _overlap(path, sources[path].file, f"the weight {fetched[path].path}")
        for path in sources.keys() & fetched.keys()
    ]
    for files in (sources, fetched):
        taken = files.keys() & generated.keys()
        taken |= {path for path in files if path.startswith(_RUNTIME)}
        for path in sorted(taken):
            if files is sources and _may_replace(path, files[path].file):
                continue
            problems.append(_overlap(path, files[path].file, "a file that the builder writes"))
    if problems:
        raise SourceError(*problems)


def _may_replace(path: str, file: str) -> bool:
    """Tell whether a user's file stands in for the generated one of its name."""
    return path in _MEANT_TO_BE_REPLACED or (path == "1/model.py" and _is_triton_model(file))


def _is_triton_model(file: str) -> bool:
    return b"class TritonPythonModel" in Path(file).read_bytes()


def _overlap(path: str, file: str, other: str) -> Problem:
    return Problem(
        "overlap",
        f"{file} would land at {path} in the artifact, where {other} lies",
        file=file,
        hint=f"rename it, or leave it out by a line in {IGNORE_FILE}",
    )
