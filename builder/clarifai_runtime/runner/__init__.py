"""What a runner's 1/model.py builds on: `open_runner`. Imported in `load_model`, never above it.

At upload, whatever is neither the standard library nor clarifai's is a mock in model.py, numpy too.
Beside numpy, this package needs what `clarifai` itself brings: clarifai_grpc, protobuf and Pillow.
"""

from __future__ import annotations

from .opening import open_runner

__all__ = ["open_runner"]
