"""How much shared memory a model needs in Triton, as far as its declaration tells."""

from __future__ import annotations

from math import prod

from clarifai_build.manifest.types import Manifest
from clarifai_build.model_types import MODEL_TYPES
from clarifai_runtime.model_types import Tensor

LARGEST_SIDE = 1024
"""What an open image dim counts as; the platform takes no larger fixed one."""

_BYTES = {"UINT8": 1, "INT32": 4, "FP32": 4, "INT64": 8}
# A request is held twice: by the server that sends it, and by the process that answers.
_COPIES = 2


def shared_memory(manifest: Manifest) -> int | None:
    """Return the bytes that full batches of images take, or None where no image is involved.

    Triton's Python backend passes tensors through shared memory, which grows to the largest batch
    and never shrinks. Texts, scores and boxes are small beside images.
    """
    kind = MODEL_TYPES[manifest.model.type]
    tensors = [t for t in (*kind.inputs, *kind.outputs) if t.name in ("image", "predicted_mask")]
    if not tensors:
        return None
    item = sum(_size(tensor, manifest.shapes.image) for tensor in tensors)
    batch = max(1, manifest.triton.max_batch_size)
    return manifest.triton.instance_group.count * _COPIES * batch * item


def _size(tensor: Tensor, image: tuple[int, int]) -> int:
    sides = [LARGEST_SIDE if side == -1 else side for side in image]
    return prod(sides) * (3 if tensor.name == "image" else 1) * _BYTES[tensor.dtype]
