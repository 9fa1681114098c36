"""A folder for Clarifai's runners: config.yaml beside 1/model.py, which holds a ModelClass.

What config.yaml says is carried field by field. The class is not: what it does has to move into
inference.py, whose methods the platform then finds as the model's type has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clarifai_build.errors import BuilderError, UsageError
from clarifai_build.legacy import label_lists, sdk_files
from clarifai_build.legacy.imported import Imported
from clarifai_build.legacy.requirements import kept
from clarifai_build.legacy.runner import model_class
from clarifai_build.legacy.runner.settings import settings_of
from clarifai_build.manifest.document import Document, read
from clarifai_build.manifest.schema import matches
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.repository_layout import (
    CODE,
    INFERENCE,
    LABELS,
    MODEL,
    REQUIREMENTS,
    RUNNER_CONFIG,
    VERSION,
    in_folder,
)

_SECTIONS = ("build_info", "inference_compute_info", "compute", "checkpoints", "concepts")
_KEYS = {"model", "num_threads", "secrets", *_SECTIONS}
_OF_MODEL = {"id", "model_type_id", "user_id", "app_id", "description"}
_DOCKERFILE = "Dockerfile"
# At the top of a folder, what the build makes anew or reads.
_KNOWN_FILES = {VERSION, RUNNER_CONFIG, REQUIREMENTS, LABELS, _DOCKERFILE}


def is_runner_folder(folder: Path) -> bool:
    """Return whether a folder holds a model for runners."""
    config = _config(folder)
    if config is None:
        return False
    has_model = isinstance(config.get("model"), dict) or (folder / MODEL).is_file()
    return has_model and any(config.get(section) for section in _SECTIONS)


def read_folder(folder: Path, type_name: str | None = None) -> Imported:
    """Read a runner's folder; `type_name` is for one whose type is none of the nine."""
    document = read(folder / RUNNER_CONFIG)
    found = type_name or document.get("model", "model_type_id")
    if not isinstance(found, str) or found not in MODEL_TYPES:
        raise _of_no_type(folder, found)
    notes = list(_unknown(document, folder))
    requirements, written = kept.requirements(folder, notes, why="the build adds what fits")
    files = dict(written)
    model = _model(document, folder, found, notes, files)
    code: dict[str, Any] = {"path": VERSION}
    if requirements:
        code["requirements"] = requirements
    code["exclude"] = _left_behind(folder, notes)
    manifest: dict[str, Any] = {"version": 1, "target": "runner", "model": model, "code": code}
    if runner := settings_of(document, notes):
        manifest["runner"] = runner
    if params := model_class.params(folder / MODEL, MODEL_TYPES[found], notes):
        manifest["params"] = params
    if account := _account(document, notes):
        manifest["clarifai"] = account
    return Imported.of(manifest, notes, files)


def _config(folder: Path) -> Document | None:
    try:
        return read(folder / RUNNER_CONFIG)
    except BuilderError:
        return None


def _of_no_type(folder: Path, found: Any) -> UsageError:
    return UsageError.of(
        "runner-folder",
        f"'{folder}' is a runner model of type '{found}', which has no counterpart",
        hint="say which of the nine it comes nearest to: --type TYPE; "
        "or keep it as it is: `clarifai model upload` deploys it",
    )


def _model(
    document: Document, folder: Path, type_name: str, notes: list[str], files: dict[str, str]
) -> dict[str, Any]:
    name = document.get("model", "id") or folder.resolve().name
    model: dict[str, Any] = {"id": sdk_files.model_id(str(name), notes), "type": type_name}
    if description := document.get("model", "description"):
        model["description"] = str(description)
    concepts = _concepts(document, notes)
    if MODEL_TYPES[type_name].has_labels:
        model["labels"] = concepts or label_lists.from_file(folder, LABELS, notes, files)
    elif concepts:
        notes.append(f"concepts, which a {type_name} has none of")
    return model


def _concepts(document: Document, notes: list[str]) -> list[str]:
    """Return the names of the concepts; where an id is another, that is told."""
    entries = document.get("concepts")
    labels = []
    for number, entry in enumerate(entries if isinstance(entries, list) else (), 1):
        one = entry if isinstance(entry, dict) else {}
        name = str(one.get("name") or one.get("id") or "")
        labels.append(name)
        if one.get("id") not in (None, name):
            notes.append(f"the id '{one['id']}' of concept {number}: ids are the names")
        notes += [f"{key} of concept {number}" for key in one if key not in ("id", "name")]
    return label_lists.usable(labels, f"{RUNNER_CONFIG}: concepts", notes) if labels else []


def _account(document: Document, notes: list[str]) -> dict[str, str]:
    account = {}
    for key in ("user_id", "app_id"):
        value = document.get("model", key)
        if isinstance(value, str) and matches("id", value):
            account[key] = value
        elif value is not None:
            notes.append(f"model.{key} '{value}', which is not an id")
    return account


def _left_behind(folder: Path, notes: list[str]) -> list[str]:
    """Return patterns for what the build makes anew, or can't take."""
    code = folder / VERSION
    exclude = sdk_files.left_behind(code, notes)
    model = in_folder(MODEL)
    if (code / model).is_file() and f"/{model}" not in exclude:
        exclude.append(f"/{model}")
    if (code / "checkpoints").is_dir():
        exclude.append("/checkpoints/")
        notes.append(f"{CODE}checkpoints: name what it holds under weights, or runner.checkpoints")
    notes += model_class.notes(folder / MODEL, INFERENCE, has_inference=_has_inference(folder))
    return list(dict.fromkeys(exclude))


def _has_inference(folder: Path) -> bool:
    return (folder / INFERENCE).is_file()


def _unknown(document: Document, folder: Path) -> Iterator[str]:
    for key in document.data if isinstance(document.data, dict) else ():
        if key not in _KEYS:
            yield f"{RUNNER_CONFIG}: {key}"
    model = document.get("model")
    for key in model if isinstance(model, dict) else ():
        if key not in _OF_MODEL:
            yield f"{RUNNER_CONFIG}: model.{key}"
    if (folder / _DOCKERFILE).is_file():
        yield f"{_DOCKERFILE}: the artifact has one of its own"
    for item in sorted(folder.iterdir()):
        if item.name not in _KNOWN_FILES and not item.name.startswith("."):
            yield f"{item.name}: it lies outside of {CODE}, and stays out of the artifact"
