"""The files of a new model: a manifest and code that validate, build and run as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from clarifai_build import resources
from clarifai_build.errors import ArtifactError, cannot_write
from clarifai_build.manifest.schema import matches
from clarifai_build.manifest.types import FILE_NAME, Target
from clarifai_build.manifest.yaml_writer import scalar
from clarifai_build.model_types import MODEL_TYPES, traits_of
from clarifai_build.repository_layout import INFERENCE, LABELS, REQUIREMENTS, in_folder

# A copy, so that editors complete and check the manifest without network.
SCHEMA_COPY = ".clarifai/schema.json"
DEFAULT_BUCKET = "${env:MODELS_BUCKET:-my-models}"


@dataclass(frozen=True, slots=True)
class Start:
    """What a new model is made from. What is empty is taken from the environment.

    `code` is the folder of inference.py, relative to the model's.
    """

    id: str
    type: str
    image: tuple[int, int] = (-1, -1)
    bucket: str = DEFAULT_BUCKET
    endpoint_url: str = ""
    user_id: str = ""
    app_id: str = ""
    code: str = "."
    target: Target = "triton"


@dataclass(frozen=True, slots=True)
class Written:
    """Which files were written, and which were there already."""

    new: tuple[str, ...]
    kept: tuple[str, ...]


def starting_files(start: Start) -> dict[str, str]:
    """Return the files of a new model: path to content."""
    folder = resources.starters_dir() / start.type
    code = in_folder(INFERENCE)
    files = {
        FILE_NAME: "\n".join(_manifest(start)) + "\n",
        PurePosixPath(start.code, code).as_posix(): (folder / code).read_text(encoding="utf-8"),
        REQUIREMENTS: "numpy\n",
        SCHEMA_COPY: resources.schema_text(),
    }
    if MODEL_TYPES[start.type].has_labels:
        files[LABELS] = (folder / LABELS).read_text(encoding="utf-8")
    return files


def write_missing(folder: Path, files: Mapping[str, str | bytes]) -> Written:
    """Write the files that are not there yet; those that are stay as they are.

    Raises ArtifactError where one can't be written.
    """
    new: list[str] = []
    kept: list[str] = []
    for name, content in sorted(files.items()):
        path = folder / name
        try:
            written = _write_new(path, content.encode() if isinstance(content, str) else content)
        except OSError as error:
            raise ArtifactError(cannot_write(path, error)) from error
        (new if written else kept).append(name)
    return Written(tuple(new), tuple(kept))


def _write_new(path: Path, content: bytes) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Exclusive: a file that appears meanwhile is not overwritten.
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return False
    return True


def id_from(name: str) -> str:
    """Make a model id from a folder's name."""
    near = "-".join(re.findall("[0-9A-Za-z]+", name))
    # The schema alone knows how long an id may be.
    while near and not matches("id", near):
        near = near[:-1]
    return near or "my-model"


def _manifest(start: Start) -> Iterator[str]:
    model_type = MODEL_TYPES[start.type]
    yield f"# yaml-language-server: $schema={SCHEMA_COPY}"
    yield "version: 1"
    if start.target == "runner":
        yield "target: runner  # an image that the platform builds; `triton` is a zip by URL"
    yield "model:"
    yield f"  id: {scalar(start.id)}"
    yield f"  type: {start.type}"
    yield '  description: ""  # what people read about the model in Clarifai'
    if model_type.has_labels:
        yield f"  labels: {LABELS}  # one a line, in the order of the model's outputs"
    yield "code:"
    yield '  path: .  # the folder with inference.py; its files land under "1/" in the artifact'
    yield f"  requirements: {REQUIREMENTS}"
    yield from _shapes(start)
    yield "# params:  # what callers may set per request; they reach get_predictions by name"
    yield "#   - {name: threshold, type: number, default: 0.5, description: Lowest score kept.}"
    if start.target == "runner":
        yield from _runner()
    yield "storage:"
    yield "  type: s3"
    yield f"  bucket: {scalar(start.bucket)}"
    if start.endpoint_url:
        yield f"  endpoint_url: {scalar(start.endpoint_url)}"
    yield "clarifai:"
    yield "  # What is not here comes from CLARIFAI_USER_ID, CLARIFAI_APP_ID, CLARIFAI_PAT, or"
    yield "  # from the current context of the official CLI."
    for key, value in (("user_id", start.user_id), ("app_id", start.app_id)):
        if value:
            yield f"  {key}: {scalar(value)}"
    yield "  visibility: private"


def _runner() -> Iterator[str]:
    yield "runner:"
    yield '  python: "3.12"'
    yield "  compute:  # of one replica"
    yield '    cpu_limit: "1"'
    yield "    cpu_memory: 2Gi"
    yield "  # deployment:  # without it, versions are built, and serve nobody yet"
    yield "  #   {nodepool: my-nodepool, compute_cluster: my-cluster, max_replicas: 2}"


def _shapes(start: Start) -> Iterator[str]:
    lines = []
    if start.image != (-1, -1):
        lines.append(f"  image: {list(start.image)}  # height, width")
    if size := traits_of(MODEL_TYPES[start.type]).example_embedding_size:
        lines.append(f"  embeddings: [{size}]")
    if lines:
        yield "shapes:"
        yield from lines
