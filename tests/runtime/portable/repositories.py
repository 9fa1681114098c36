"""Model repositories on disk, made with nothing but the standard library and the runtime."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Dict, Optional, Sequence

import clarifai_runtime
from clarifai_runtime.model_types import MODEL_TYPES, Tensor

RUNTIME = Path(clarifai_runtime.__file__).parent
TEMPLATE = next(
    folder / "cookiecutter-template"
    for folder in RUNTIME.parents
    if (folder / "cookiecutter-template").is_dir()
)

BODIES = {
    "visual-detector": """[
            config.inference.return_type(
                np.array([[0.1, 0.2, 0.5, 0.6 + grey / 1000]] * (grey % 4)).reshape(-1, 4),
                np.full((grey % 4, 1), grey % 2),
                np.full((grey % 4, 1), 0.5),
            )
            for grey in [int(item.flat[0]) for item in input_data]
        ]""",
    "visual-classifier": """[
            config.inference.return_type(np.array([item.mean() / 255, 1 - item.mean() / 255]))
            for item in input_data
        ]""",
    "text-classifier": """[
            config.inference.return_type(np.array([0.9, 0.1] if "cat" in item else [0.1, 0.9]))
            for item in input_data
        ]""",
    "text-to-text": "[config.inference.return_type(item.upper()) for item in input_data]",
    "text-embedder": """[
            config.inference.return_type(np.array([len(item), len(item.encode())], np.float32))
            for item in input_data
        ]""",
    "text-to-image": """[
            config.inference.return_type(np.full((8, 6, 3), len(item) % 256, np.uint8))
            for item in input_data
        ]""",
    "visual-embedder": """[
            config.inference.return_type(item.mean(axis=(0, 1)).astype(np.float32))
            for item in input_data
        ]""",
    "visual-segmenter": """[
            config.inference.return_type((item[..., 0] > 127).astype(np.int64))
            for item in input_data
        ]""",
    "multimodal-embedder": """[
            config.inference.return_type(
                np.array(
                    [
                        -1 if item["image"] is None else item["image"].mean(),
                        -1 if item["text"] is None else len(item["text"]),
                    ],
                    np.float32,
                )
            )
            for item in input_data
        ]""",
}
"""What get_predictions returns, for each model type: simple, and different for different items."""

SEED_STYLE = """
import os
import numpy as np
from clarifai.models.model_serving.model_config import get_model_config, ModelTypes

config = get_model_config("{model_type}")


class InferenceModel:
    def __init__(self):
        self.base_path = os.path.dirname(__file__)

    @config.inference.wrap_func
    def get_predictions(self, input_data: list, **kwargs) -> list:
        return {body}
"""


def seed_style(model_type: str, body: Optional[str] = None) -> str:
    """Return an inference.py written as clarifai 9.x has users write it."""
    return SEED_STYLE.format(model_type=model_type, body=body or BODIES[model_type])


def labels_of(model_type: str) -> Optional[Sequence[str]]:
    """Return two labels, for types that have labels."""
    return ["first", "second"] if MODEL_TYPES[model_type].has_labels else None


def write_repository(
    parent: Path,
    model_type: str,
    source: Optional[str] = None,
    *,
    name: str = "model",
    max_batch_size: int = 16,
    ragged: bool = True,
    vendor: bool = False,
    queue_delay: int = 0,
    **settings: Any,
) -> Path:
    """Write a repository into parent/name and return its version folder."""
    root = parent / name
    folder = root / "1"
    folder.mkdir(parents=True)
    text = source if source is not None else seed_style(model_type)
    (folder / "inference.py").write_text(text, encoding="utf-8")
    serving: Dict[str, Any] = {
        "format": 1,
        "model_type": model_type,
        "labels": labels_of(model_type),
        "max_batch_size": max_batch_size,
        "params": [],
        **settings,
    }
    (folder / "serving.json").write_text(json.dumps(serving), encoding="utf-8")
    if serving["labels"]:
        (root / "labels.txt").write_text("\n".join(serving["labels"]) + "\n", encoding="utf-8")
    streaming = bool(serving.get("streaming"))
    config = config_text(model_type, name, max_batch_size, ragged, queue_delay, streaming)
    (root / "config.pbtxt").write_text(config, encoding="utf-8")
    generated = TEMPLATE / "{{cookiecutter.model_name}}" / "1"
    for file in ("__init__.py", "test.py"):
        shutil.copy(str(generated / file), str(folder / file))
    (model,) = generated.glob("*triton*model.py*")
    shutil.copy(str(model), str(folder / "model.py"))
    if vendor:
        shutil.copytree(str(RUNTIME), str(folder / RUNTIME.name))
    return folder


def config_text(
    model_type: str, name: str, max_batch_size: int, ragged: bool, queue_delay: int, streaming: bool
) -> str:
    """Return a config.pbtxt."""
    kind = MODEL_TYPES[model_type]
    lines = [f'name: "{name}"', 'backend: "python"', f"max_batch_size: {max_batch_size}"]
    for tensor in kind.inputs:
        extra = "optional: true " if tensor.optional else ""
        if ragged and tensor.name == "image":
            extra += "allow_ragged_batch: true "
        lines.append(f"input {{ {_declaration(tensor)} {extra}}}")
    for tensor in kind.outputs:
        extra = 'label_filename: "labels.txt" ' if tensor.labels else ""
        lines.append(f"output {{ {_declaration(tensor)} {extra}}}")
    if streaming:
        lines.append("model_transaction_policy { decoupled: true }")
    else:
        lines.append(f"dynamic_batching {{ max_queue_delay_microseconds: {queue_delay} }}")
    return "\n".join(lines) + "\n"


def _declaration(tensor: Tensor) -> str:
    dims = ", ".join(map(str, tensor.dims))
    return f'name: "{tensor.name}" data_type: TYPE_{tensor.dtype} dims: [ {dims} ]'
