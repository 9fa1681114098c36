"""What the runtime's Python costs a request, without a server: against the minimal model.py.

Both get the same requests, through the same stand-in for Triton, and call the same inference.py.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from clarifai_runtime.loading import load_module
from clarifai_runtime.serving.opening import open_server
from clarifai_runtime.testing import fake_triton

MODELS = Path(__file__).with_name("serving_models")
BATCH = 16
CALLS = 300
CONFIG = {"input": [{"name": "text"}], "output": [{"name": "embeddings", "dims": [-1]}]}


def overhead(rounds: int) -> tuple[list[float], list[float]]:
    """Return CPU microseconds a request, round by round: the runtime's, then the minimal one's."""
    ours: list[float] = []
    minimal: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        server, model = _open(Path(folder))
        for _ in range(rounds):
            ours.append(_microseconds(server))
            minimal.append(_microseconds(model))
    return ours, minimal


def _open(folder: Path) -> tuple[Any, Any]:
    source = (MODELS / "embedder.py").read_text().replace("time.sleep(0.005)", "pass")
    (folder / "inference.py").write_text(source)
    shutil.copy(MODELS / "minimal.py", folder / "model.py")
    sys.modules["triton_python_backend_utils"] = _backend_utils()
    minimal = load_module(folder / "model.py").TritonPythonModel()
    minimal.initialize({"model_config": json.dumps(CONFIG)})
    return open_server(folder, CONFIG, fake_triton), minimal


def _backend_utils() -> ModuleType:
    """Return the stand-in with Triton's own helper, which hand-written models use."""

    def get_input_tensor_by_name(request: Any, name: str) -> Any:
        for tensor in request.inputs():
            if tensor.name() == name:
                return tensor
        return None

    module = ModuleType("triton_python_backend_utils")
    module.__dict__.update(vars(fake_triton), get_input_tensor_by_name=get_input_tensor_by_name)
    return module


def _microseconds(server: Any) -> float:
    requests = [
        fake_triton.InferenceRequest({"text": np.array([[b"text %d" % number]], dtype=object)})
        for number in range(BATCH)
    ]
    started = time.process_time()
    for _ in range(CALLS):
        server.execute(requests)
    return (time.process_time() - started) / CALLS / BATCH * 1e6


if __name__ == "__main__":
    figures = overhead(31)
    for name, values in zip(("runtime", "minimal"), figures, strict=True):
        print(f"{name}: {sorted(values)[len(values) // 2]:.2f} µs a request")
