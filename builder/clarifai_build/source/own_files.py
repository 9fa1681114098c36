"""Files of this tool in the user's folder, known by what is in them: none of them is code.

Manifests, locks, saved plans, built artifacts with their records, rendered repositories: of this
model they stay out by their paths, of any other, and under any name, by their content.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.repository_layout import CONFIG, MODEL, RUNNER_CONFIG, RUNTIME, SERVING
from clarifai_build.source.build_records import (
    PROVENANCE,
    SBOM,
    SUFFIXES,
    beginning_of,
    is_statement,
)
from clarifai_build.source.content_checks import DVC
from clarifai_build.source.ignoring.ignore import IGNORE_FILE, Rules
from clarifai_build.source.source_file import SourceFile, open_source
from clarifai_build.source.walk import ExcludedFile, WalkResult
from clarifai_build.util.gzip_stored import StoredContent, StoredStream
from clarifai_build.util.small_files import parse_json

_MANIFEST_NAME = re.compile(r"(?:.*\.)?clarifai\.ya?ml", re.IGNORECASE | re.DOTALL)
_MODEL_KEY = re.compile(rb"""^["']?model["']?\s*:""", re.MULTILINE)
_RUNTIME_FILE = RUNTIME + "__init__.py"
# Bytes. Of a manifest as of what reads it; a lock has a line for each package and hash, a plan one
# for each file.
_LARGEST_MANIFEST, _SMALLEST_JSON, _LARGEST_JSON = 1 << 20, 100, 16 << 20
# A file that has become a pipe meanwhile is not waited for. Windows has no such flag.
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)
# Bytes: the first keys of a document stand in there.
_HEAD = 512
_PLAN_REASON = "a saved plan"
_PLAN = frozenset({"format_version", "tool_version", "id", "sandbox", "adopt", "models", "summary"})
_LOCK = frozenset({"format", "digest", "template_sha256", "runtime_sha256", "weights"})


class _Kind(NamedTuple):
    """What files that end so may be, and how that shows."""

    end: str
    reason: str
    is_one: Callable[[SourceFile], bool]


def exclude_own_files(found: WalkResult, rules: Rules) -> WalkResult:
    """Leave out what this tool wrote or reads, unless a rule of the user's names it."""
    # A look at each name, and no more at most of them: data sets have thousands of files.
    likely = [file for file in found.files if file.path.lower().endswith(_LIKELY)]
    if not likely:
        return found
    out = dict.fromkeys(_pulled_by_dvc(likely, found.files), "data version control")
    out |= _built_before(likely, found.files)
    rest = [file for file in found.files if file not in out] if out else found.files
    recognised = _rendered(likely, rest)
    recognised |= {f: why for f in likely if f not in out and (why := _reason(f))}
    # A plan that is packed would be stale as soon as it is saved.
    out |= {
        file: why
        for file, why in recognised.items()
        if why == _PLAN_REASON or not rules.brings_back(file.path)
    }
    if not out:
        return found
    left = [ExcludedFile(file.path, file.file, reason) for file, reason in out.items()]
    files = [file for file in found.files if file not in out]
    return found._replace(files=files, left=[*found.left, *left])


def _reason(file: SourceFile) -> str | None:
    path = file.path.lower()
    kinds = (kind for kind in _KINDS if path.endswith(kind.end))
    return next((kind.reason for kind in kinds if kind.is_one(file)), None)


def _is_manifest(file: SourceFile) -> bool:
    """Return whether a YAML file is a manifest: by the name they have, or by what it says."""
    if _MANIFEST_NAME.fullmatch(file.path.rpartition("/")[2]):
        return True
    if file.stamp.size > _LARGEST_MANIFEST:
        return False
    content = beginning_of(file.file, _LARGEST_MANIFEST)
    likely = _MODEL_KEY.search(content) and any(name in content for name in _TYPES)
    return bool(likely) and _names_model(content)


def _names_model(content: bytes) -> bool:
    """Return whether a YAML document describes a model as a manifest does."""
    import yaml

    try:
        document = yaml.load(content, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
    model = document.get("model") if isinstance(document, dict) else None
    return isinstance(model, dict) and "id" in model and model.get("type") in list(MODEL_TYPES)


def _is_plan(file: SourceFile) -> bool:
    return _is_document(file, _PLAN, b'"adopt"')


def _is_lock(file: SourceFile) -> bool:
    return _is_document(file, _LOCK, b'"digest"')


def _is_document(file: SourceFile, keys: frozenset[str], mark: bytes) -> bool:
    """Return whether a file is a JSON object with these keys, of which `mark` is an early one."""
    if not _SMALLEST_JSON < file.stamp.size <= _LARGEST_JSON:
        return False
    head = _head(file.file)
    if mark not in head or not head.lstrip().startswith(b"{"):
        return False
    try:
        document: Any = parse_json(beginning_of(file.file, _LARGEST_JSON))
    except ValueError:
        return False
    return isinstance(document, dict) and keys <= document.keys()


def _head(file: str) -> bytes:
    """Return the first bytes of a file. Data sets have thousands of them: hot path."""
    try:
        opened = os.open(file, os.O_RDONLY | _NONBLOCK)
    except OSError:
        return b""
    try:
        return os.read(opened, _HEAD)
    except OSError:
        return b""
    finally:
        os.close(opened)


def _is_record(file: SourceFile) -> bool:
    return is_statement(file.file)


def _is_sbom(file: SourceFile) -> bool:
    head = beginning_of(file.file, _LARGEST_JSON)
    return b'"CycloneDX"' in head and b'"clarifai-build"' in head


def _is_artifact(file: SourceFile) -> bool:
    """Return whether a zip holds what every artifact of Triton's does."""
    import zipfile

    try:
        with open_source(file.file) as stream, zipfile.ZipFile(stream) as archive:
            return {CONFIG, MODEL, SERVING, _RUNTIME_FILE} <= set(archive.namelist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, EOFError):
        return False


def _is_runner_artifact(file: SourceFile) -> bool:
    """Return whether a tar.gz is one of this tool's, and holds what every runner's does."""
    import tarfile

    def read(offset: int, length: int) -> bytes:
        stream.seek(offset)
        return stream.read(length)

    try:
        # Of one that others made, no more than its beginning is read.
        with open_source(file.file) as stream:
            content = StoredStream(StoredContent(read, file.stamp.size))
            with tarfile.open(fileobj=content, mode="r:") as archive:
                names = set(archive.getnames())
    except (OSError, ValueError, tarfile.TarError, EOFError):
        return False
    return {RUNNER_CONFIG, MODEL, SERVING, _RUNTIME_FILE} <= names


def _rendered(likely: Iterable[SourceFile], files: Iterable[SourceFile]) -> dict[SourceFile, str]:
    """Return the files of repositories that `render` wrote below the folder."""
    tops = {f.path[: -len(_RUNTIME_FILE)] for f in likely if f.path.endswith(f"/{_RUNTIME_FILE}")}
    if not tops:
        return {}
    paths = {file.path for file in files}
    whole = tuple(
        top
        for top in tops
        if {top + MODEL, top + SERVING} <= paths and {top + CONFIG, top + RUNNER_CONFIG} & paths
    )
    return {
        file: "a rendered repository" for file in files if whole and file.path.startswith(whole)
    }


def _built_before(
    likely: Iterable[SourceFile], files: Sequence[SourceFile]
) -> dict[SourceFile, str]:
    """Return the artifacts that have a provenance of a build beside them, with their records."""
    statements = {f.path for f in likely if f.path.endswith(PROVENANCE) and is_statement(f.file)}
    if not statements:
        return {}
    artifacts = {path.removesuffix(PROVENANCE) for path in statements}
    built = {file: "a built artifact" for file in files if file.path in artifacts}
    beside = {file.path + record for file in built for record in SUFFIXES}
    return built | {file: "a record of a built artifact" for file in files if file.path in beside}


def _pulled_by_dvc(likely: Iterable[SourceFile], files: Iterable[SourceFile]) -> list[SourceFile]:
    """Return the `.dvc` files whose data is there, which say nothing to a server."""
    if not (pointers := [file for file in likely if file.path.endswith(DVC)]):
        return []
    present = {file.path for file in files}
    return [file for file in pointers if file.path.removesuffix(DVC) in present]


_TYPES = tuple(name.encode() for name in MODEL_TYPES)
_KINDS = (
    _Kind(".yaml", "a manifest", _is_manifest),
    _Kind(".yml", "a manifest", _is_manifest),
    _Kind(".lock", "a lock", _is_lock),
    _Kind(PROVENANCE, "a record of a built artifact", _is_record),
    _Kind(SBOM, "a record of a built artifact", _is_sbom),
    _Kind(".json", _PLAN_REASON, _is_plan),
    _Kind(".zip", "a built artifact", _is_artifact),
    _Kind(".tar.gz", "a built artifact", _is_runner_artifact),
    _Kind(IGNORE_FILE, "ignore rules", lambda file: file.path.endswith(f"/{IGNORE_FILE}")),
)
_LIKELY = (*(kind.end for kind in _KINDS), DVC, f"/{_RUNTIME_FILE}".lower())
