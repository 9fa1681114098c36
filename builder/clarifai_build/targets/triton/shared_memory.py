"""How much shared memory a model needs in Triton, estimated from its declaration."""

from __future__ import annotations

from math import prod

from clarifai_build.manifest.types import Manifest
from clarifai_build.model_types import LARGEST_SIDE, MODEL_TYPES, Tensor, traits_of

_BYTES = {"UINT8": 1, "INT32": 4, "FP32": 4, "INT64": 8}
# A request is held twice: by the server that sends it, and by the process that answers.
_COPIES = 2


def shared_memory(manifest: Manifest) -> int | None:
    """Return the bytes that full batches of images take, or None where no image is involved.

    Triton's Python backend passes tensors through shared memory, which grows to the largest batch
    and never shrinks. Texts, scores and boxes are small beside images.
    """
    kind = MODEL_TYPES[manifest.model.type]
    large = traits_of(kind).large_tensors
    tensors = [tensor for tensor in (*kind.inputs, *kind.outputs) if tensor.name in large]
    if not tensors:
        return None
    item = sum(_size(tensor, manifest.shapes.image) for tensor in tensors)
    # 0 is how Triton says that a model does not batch.
    batch = max(1, manifest.triton.max_batch_size)
    return manifest.triton.instance_group.count * _COPIES * batch * item


def _size(tensor: Tensor, image: tuple[int, int]) -> int:
    """Return the bytes of one item; an open side counts as the largest."""
    height, width = (LARGEST_SIDE if side == -1 else side for side in image)
    return height * width * prod(tensor.dims[2:]) * _BYTES[tensor.dtype]
