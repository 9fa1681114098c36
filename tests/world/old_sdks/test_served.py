"""What an SDK of 9.7 to 10.0 served is imported, built and answers as it did."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clarifai_build.artifact.folder_writer import write_folder
from clarifai_build.legacy.importer import import_folder
from clarifai_build.pipeline import build
from clarifai_build.sandbox.endpoints import Endpoints
from clarifai_build.scaffold import write_missing
from clarifai_build.validation.load import load
from clarifai_runtime.testing.asking import LocalModel
from clarifai_runtime.testing.pbtxt import parse_config
from conftest import Tool
from support.old_sdks import types_of, write_repository
from support.sandbox_client import Api, text

IMAGES = np.stack([np.full((2, 3, 3), 1, np.uint8), np.full((2, 3, 3), 3, np.uint8)])
TEXTS = np.array([[b"a cat"], ["grün".encode()]], dtype=object)

# The first output tensor for two items; of detections, the scores.
ANSWERS: dict[str, Any] = {
    "visual-detector": [[[0.5], [0], [0], [0], [0]], [[0.5], [0.5], [0.5], [0], [0]]],
    "visual-classifier": [[0.25, 1 / 255], [0.25, 3 / 255]],
    "text-classifier": [[0.25, 0.5], [0.25, 0.4]],
    "text-to-text": [["A CAT"], ["GRÜN"]],
    "text-embedder": [[5, 5], [4, 5]],
    "text-to-image": [np.full((4, 6, 3), 5), np.full((4, 6, 3), 4)],
    "visual-embedder": [[1, 1, 1], [3, 3, 3]],
    "visual-segmenter": [np.zeros((2, 3)), np.ones((2, 3))],
    "multimodal-embedder": [[1, -1], [3, -1]],
}


def answer(folder: Path, model_type: str) -> Any:
    """Import and build a repository, and ask it for two items in one request."""
    write_missing(folder, import_folder(folder).all_files())
    built = folder / "built"
    write_folder(build(load(folder / "clarifai.yaml", {}, offline=True)).tree, built)
    config = parse_config((built / "config.pbtxt").read_text())
    tensors = {"text": TEXTS} if model_type.startswith("text") else {"image": IMAGES}
    (reply,) = LocalModel(built / "1", config).ask([tensors], {})
    if isinstance(reply, Exception):
        raise reply
    name = "predicted_scores" if model_type == "visual-detector" else config["output"][0]["name"]
    if reply[name].dtype == object:
        return [[item.decode() for item in row] for row in reply[name]]
    return reply[name]


@pytest.mark.parametrize(
    ("sdk", "model_type"),
    [
        *((sdk, known) for sdk in ("9.8.1", "9.10.4", "9.11.0") for known in types_of(sdk)),
        # Of the others, what they differ in.
        *((sdk, "text-to-text") for sdk in ("9.7.6", "9.8.2", "9.9.3", "10.0.1")),
    ],
)
def test_each_type_answers(tmp_path: Path, sdk: str, model_type: str) -> None:
    """One request with two items, in the contract of the SDK."""
    found = answer(write_repository(tmp_path, sdk, model_type), model_type)
    if model_type == "text-to-text":
        assert found == ANSWERS[model_type]
    else:
        np.testing.assert_allclose(found, ANSWERS[model_type], rtol=1e-6)


def test_the_platform_gets_answers(tool: Tool, sandbox: Endpoints, tmp_path: Path) -> None:
    """Models of three old SDKs, imported and applied as they are, answer through API and Triton."""
    api = Api(sandbox)
    for sdk in ("9.8.1", "9.9.3", "9.10.4"):
        name = f"old-{uuid.uuid4().hex[:8]}"
        folder = write_repository(tmp_path / name, sdk, "text-to-text", name)
        assert tool("import", folder).returncode == 0
        applied = tool("apply", folder / "clarifai.yaml", "--sandbox")
        assert applied.returncode == 0, applied.stderr
        reply = api.predict(name, text("hello"), text("grün"))
        assert [output.data.text.raw for output in reply.outputs] == ["HELLO", "GRÜN"]
