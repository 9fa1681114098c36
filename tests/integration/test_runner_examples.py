"""Every example on the other target: the same answers as through Triton, to both kinds of clients.

One word of its manifest is changed. It is asked by today's SDK, in both of its ways.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from support.runner_sdk import sdk_environ, sdk_python

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
CLIENT = Path(__file__).parent / "sandbox" / "clients" / "examples_12.py"
PAGE, LINE = (str(EXAMPLES / "samples" / name) for name in ("page.png", "line.png"))

REQUESTS: dict[str, list[dict[str, Any]]] = {
    "multimodal-embedder": [{"text": "image segmentation"}, {"image": LINE}],
    "text-classifier": [
        {"text": "Gdzie jest dworzec?"},
        {"text": "Wo ist der Bahnhof?", "params": {"languages": "nl, en"}},
    ],
    "text-embedder": [{"text": "I forgot my login credentials"}],
    "text-to-image": [{"text": "abc", "params": {"size": 200}}, {"text": "récépissé"}],
    "text-to-text": [
        {"text": "Whereis th elove hehad dated"},
        {"text": "Teh", "params": {"distance": 0}},
    ],
    "visual-classifier": [{"image": LINE}],
    "visual-detector": [{"image": PAGE}, {"image": PAGE, "params": {"threshold": 0.98}}],
    "visual-embedder": [{"image": LINE}],
    "visual-segmenter": [{"image": PAGE}],
}


@pytest.fixture(scope="module")
def client() -> Any:
    """The examples' own client, as a module."""
    spec = importlib.util.spec_from_file_location("examples_client", EXAMPLES / "client.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def fetched() -> None:
    """Fetch the weights of all examples."""
    subprocess.run([sys.executable, EXAMPLES / "fetch.py"], check=True)


def moved(example: str, folder: Path) -> tuple[Path, str]:
    """Return the manifest of a copy with another target, beside the same weights, and its id."""
    (folder / "weights").symlink_to(EXAMPLES / "weights")
    copy = Path(shutil.copytree(EXAMPLES / example, folder / example))
    manifest = copy / "clarifai.yaml"
    text = manifest.read_text(encoding="utf-8")
    model_id = yaml.safe_load(text)["model"]["id"]
    text = text.replace("version: 1\n", "version: 1\ntarget: runner\n")
    manifest.write_text(text.replace(f"id: {model_id}\n", f"id: {model_id}-runner\n"))
    return manifest, model_id


def through_triton(client: Any, model_id: str, environ: dict[str, str], request: Any) -> Any:
    image = Path(request["image"]).read_bytes() if "image" in request else None
    params = request.get("params", {})
    text = request.get("text")
    return client.predict(model_id, image=image, text=text, params=params, environ=environ)


def pixels(content: bytes) -> list[Any]:
    picture = Image.open(io.BytesIO(content))
    return [*picture.size, hashlib.sha256(picture.convert("RGB").tobytes()).hexdigest()]


def plain(data: Any) -> dict[str, Any]:
    """Return an answer of the API in the form of the client's script."""
    if data.embeddings:
        return {"embedding": list(data.embeddings[0].vector)}
    if data.concepts:
        return {"concepts": {one.name: one.value for one in data.concepts}}
    if data.image.base64:
        return {"image": pixels(data.image.base64)}
    if data.text.raw:
        return {"text": data.text.raw}
    return {"regions": [_region(one) for one in data.regions]}


def _region(found: Any) -> dict[str, Any]:
    mask, box = found.region_info.mask.image.base64, found.region_info.bounding_box
    return {
        "concepts": {one.name: one.value for one in found.data.concepts},
        "box": [box.top_row, box.left_col, box.bottom_row, box.right_col],
        "mask": pixels(mask) if mask else None,
    }


def assert_same(found: Any, wanted: Any) -> None:
    """Hold two answers against each other; floats went through the network in 32 bits."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for key, value in wanted.items():
            assert_same(found[key], value)
    elif isinstance(wanted, list) and wanted and not isinstance(wanted[-1], (float, str)):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert_same(one, other)
    elif isinstance(wanted, float) or (isinstance(wanted, list) and isinstance(wanted[-1], float)):
        np.testing.assert_allclose(found, wanted, atol=2e-4)
    else:
        assert found == wanted


@pytest.mark.parametrize("example", sorted(REQUESTS))
def test_a_word_of_the_manifest_moves_it(
    tool: Any, client: Any, fetched: None, tmp_path: Path, example: str
) -> None:
    manifest, model_id = moved(example, tmp_path)
    for each in (EXAMPLES / example, manifest):
        applied = tool("apply", each, "--sandbox")
        assert applied.returncode == 0, applied.stderr
    requests = REQUESTS[example]
    wanted = [plain(through_triton(client, model_id, tool.environ, one)) for one in requests]
    asked = subprocess.run(
        [str(sdk_python()), CLIENT, f"{model_id}-runner", *map(json.dumps, requests)],
        env={**sdk_environ(tmp_path), **tool.environ, "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert asked.returncode == 0, asked.stdout + asked.stderr
    answers = json.loads(next(x for x in asked.stdout.splitlines()[::-1] if x.startswith("[{")))
    for answer, wants in zip(answers, wanted, strict=True):
        assert_same(answer["predict"], wants)
        assert_same(answer["predict_by_bytes"], wants)
    assert tool("apply", manifest, "--sandbox").stdout.count("nothing to do") == 1
