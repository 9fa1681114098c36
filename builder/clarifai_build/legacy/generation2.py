"""A folder of clarifai 10.1 to 10.8: clarifai_config.yaml beside inference.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clarifai_build.errors import ManifestError
from clarifai_build.legacy import label_lists, sdk_files
from clarifai_build.legacy.imported import GENERATION_2, Imported
from clarifai_build.legacy.requirements import kept
from clarifai_build.manifest.document import Document, read
from clarifai_build.manifest.schema import matches
from clarifai_build.manifest.yaml_reader import core_scalar
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.repository_layout import LABELS

_MODEL = ("clarifai_model",)
_TRITON = ("serving_backend", "triton")
# By section; any other key becomes a note, so that nothing is lost in silence.
_CARRIED = {
    (): {"clarifai_model", "serving_backend"},
    _MODEL: {
        "type",
        "clarifai_model_id",
        "clarifai_user_app_id",
        "description",
        "labels",
        "inference_parameters",
    },
    ("serving_backend",): {"triton"},
    _TRITON: {"max_batch_size", "image_shape"},
}


def read_folder(folder: Path) -> Imported:
    """Read a folder with a clarifai_config.yaml."""
    document = read(folder / GENERATION_2)
    notes = list(_unknown(document))
    requirements, written = kept.requirements(folder, notes)
    files = dict(written)
    code: dict[str, Any] = {"path": "."}
    if requirements:
        code["requirements"] = requirements
    code["exclude"] = [f"/{GENERATION_2}", *sdk_files.left_behind(folder, notes)]
    manifest: dict[str, Any] = {
        "version": 1,
        "model": _model(document, folder, notes, files),
        "code": code,
    }
    shape = document.get(*_TRITON, "image_shape")
    # -1, -1 is the default: written out, it would only be noise.
    if MODEL_TYPES[manifest["model"]["type"]].has_image_input and shape not in (None, [-1, -1]):
        manifest["shapes"] = {"image": shape}
    if batch := document.get(*_TRITON, "max_batch_size"):
        manifest["triton"] = {"max_batch_size": batch}
    if entries := _listed(document, "inference_parameters", notes):
        manifest["params"] = sdk_files.params(entries, notes)
    if account := _account(document, notes):
        manifest["clarifai"] = account
    return Imported.of(manifest, notes, files)


def _model(
    document: Document, folder: Path, notes: list[str], files: dict[str, str]
) -> dict[str, Any]:
    type_name = document.get(*_MODEL, "type")
    if not isinstance(type_name, str) or type_name not in MODEL_TYPES:
        path = (*_MODEL, "type")
        hint = f"one of: {', '.join(MODEL_TYPES)}"
        raise ManifestError(
            document.problem("not-allowed", f"no model type '{type_name}'", path, hint=hint)
        )
    name = document.get(*_MODEL, "clarifai_model_id") or folder.resolve().name
    model: dict[str, Any] = {"id": sdk_files.model_id(str(name), notes), "type": type_name}
    if description := document.get(*_MODEL, "description"):
        model["description"] = str(description)
    labels = _labels(document, notes)
    if MODEL_TYPES[type_name].has_labels:
        model["labels"] = labels or label_lists.from_file(folder, LABELS, notes, files)
    elif labels:
        notes.append(f"labels, which a {type_name} has none of")
    return model


def _labels(document: Document, notes: list[str]) -> list[str]:
    """Return the labels as they are written: `no`, `1.0` and `true` are names like others."""
    labels = []
    for index, value in enumerate(_listed(document, "labels", notes)):
        path = (*_MODEL, "labels", index)
        if isinstance(value, (dict, list)):
            message = f"label {index} is not text"
            raise ManifestError(
                document.problem("wrong-type", message, path, hint="write its name")
            )
        written = document.source(path)
        as_written = value is not None and core_scalar(written) == value
        labels.append(written if as_written else "" if value is None else str(value))
    return label_lists.usable(labels, f"{GENERATION_2}: labels", notes)


def _listed(document: Document, key: str, notes: list[str]) -> list[Any]:
    value = document.get(*_MODEL, key)
    if value is None or isinstance(value, list):
        return value or []
    notes.append(f"{key}: {value!r}, which is not a list")
    return []


def _account(document: Document, notes: list[str]) -> dict[str, str]:
    user_app = document.get(*_MODEL, "clarifai_user_app_id")
    if not user_app:
        return {}
    user, _, app = str(user_app).partition("/")
    # Strictly: a reference to the environment is an id of the manifest, but none of the old file.
    if not (matches("id", user) and matches("id", app)):
        notes.append(f"clarifai_user_app_id '{user_app}', which is not user/app")
        return {}
    return {"user_id": user, "app_id": app}


def _unknown(document: Document) -> Iterator[str]:
    for path, known in _CARRIED.items():
        section = document.get(*path)
        if isinstance(section, dict):
            for key in section:
                if key not in known:
                    yield f"{GENERATION_2}: {'.'.join((*path, key))}"
        elif section is not None:
            yield f"{GENERATION_2}: {'.'.join(path)}, which is not a mapping"
