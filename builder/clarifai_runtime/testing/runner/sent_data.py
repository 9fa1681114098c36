"""Clarifai's `Data` as a client makes and reads it: tensors of one row to it, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Sequence

import numpy as np
from clarifai_grpc.grpc.api import resources_pb2

from ...model_types import ModelType
from ...runner.pictures import decode, encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

Labels = Sequence[str]


def data_of(row: Mapping[str, Array]) -> Any:
    """Return one input; each tensor has one row."""
    data = resources_pb2.Data()
    if "image" in row:
        data.image.base64 = encode(row["image"][0])
    if "text" in row:
        data.text.raw = row["text"].item().decode()
    return data


def arrays_of(model_type: ModelType, labels: Labels, data: Any) -> Dict[str, Array]:
    """Return an answer as the outputs of the type, of one row each."""
    arrays = _READERS[model_type.output_class](data, labels)
    return {tensor.name: array[np.newaxis] for tensor, array in zip(model_type.outputs, arrays)}


def _concepts(data: Any, labels: Labels) -> List[Array]:
    values = np.zeros(len(labels), np.float32)
    for concept in data.concepts:
        values[labels.index(concept.id)] = concept.value
    return [values]


def _boxes(data: Any, labels: Labels) -> List[Array]:
    frames = [region.region_info.bounding_box for region in data.regions]
    boxes = [[f.top_row, f.left_col, f.bottom_row, f.right_col] for f in frames]
    concepts = [region.data.concepts[0] for region in data.regions]
    return [
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array([[labels.index(c.id)] for c in concepts], np.int32).reshape(-1, 1),
        np.array([[c.value] for c in concepts], np.float32).reshape(-1, 1),
    ]


def _masks(data: Any, labels: Labels) -> List[Array]:
    first = data.regions[0].region_info.mask.image
    mask = np.zeros(_picture(first).shape[:2], np.int64)
    for region in data.regions:
        cut = _picture(region.region_info.mask.image)[..., 0] > 0
        mask[cut] = labels.index(region.data.concepts[0].id)
    return [mask]


def _text(data: Any, _labels: Labels) -> List[Array]:
    return [np.array([data.text.raw.encode()], dtype=object)]


def _embedding(data: Any, _labels: Labels) -> List[Array]:
    return [np.array(data.embeddings[0].vector, np.float32)]


def _image(data: Any, _labels: Labels) -> List[Array]:
    return [_picture(data.image)]


def _picture(image: Any) -> Array:
    return decode(image.base64, -1, -1)


_READERS: Mapping[str, Callable[[Any, Labels], List[Array]]] = {
    "VisualDetectorOutput": _boxes,
    "ClassifierOutput": _concepts,
    "TextOutput": _text,
    "EmbeddingOutput": _embedding,
    "MasksOutput": _masks,
    "ImageOutput": _image,
}
