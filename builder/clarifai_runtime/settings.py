"""What the builder writes beside the model for the runtime: `serving.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Mapping, NamedTuple, Optional, Tuple

from .errors import ModelLoadError
from .parameters import Param

FILE_NAME = "serving.json"
FORMAT = 1


class Settings(NamedTuple):
    """How to serve one model. None where nothing is declared.

    Of the sides in `image_shape` (height, width) and `embeddings_shape`, -1 may be anything.
    """

    model_type: Optional[str] = None
    labels: Optional[Tuple[str, ...]] = None
    params: Optional[Tuple[Param, ...]] = None
    isolate: bool = True
    streaming: bool = False
    per_item: bool = False
    max_batch_size: int = 1
    image_shape: Tuple[int, int] = (-1, -1)
    embeddings_shape: Tuple[int, ...] = (-1,)


def read_settings(version_folder: Path) -> Settings:
    """Read the settings of a model; a repository without serving.json declares only its labels."""
    file = version_folder / FILE_NAME
    if not file.is_file():
        return Settings(labels=_read_labels(version_folder.parent / "labels.txt"))
    raw = json.loads(file.read_text(encoding="utf-8"))
    if raw.get("format") != FORMAT:
        raise ModelLoadError(
            f"{file.name} has format {raw.get('format')!r}, but this runtime reads {FORMAT}"
        )
    return _from_json(raw)


def _from_json(raw: Mapping[str, Any]) -> Settings:
    labels = raw.get("labels")
    return Settings(
        model_type=raw["model_type"],
        labels=None if labels is None else tuple(labels),
        params=tuple(Param(**param) for param in raw.get("params", ())),
        isolate=raw.get("isolate", True),
        streaming=raw.get("streaming", False),
        per_item=raw.get("per_item", False),
        max_batch_size=raw.get("max_batch_size", 1),
        image_shape=tuple(raw.get("image_shape", (-1, -1))),
        embeddings_shape=tuple(raw.get("embeddings_shape", (-1,))),
    )


def _read_labels(file: Path) -> Optional[Tuple[str, ...]]:
    if not file.is_file():
        return None
    lines = file.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line.strip()) or None
