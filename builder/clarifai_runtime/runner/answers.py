"""Output tensors of one item → Clarifai's `Data`, in which concepts are named by their labels."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence

import numpy as np
from clarifai_grpc.grpc.api import resources_pb2

from ..errors import InvalidOutputError
from ..model_types import ModelType
from .pictures import encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

Arrays = Sequence["Array"]
Write = Callable[[Any, Arrays, Sequence[str]], None]


def data_of(model_type: ModelType, labels: Sequence[str], arrays: Arrays) -> Any:
    """Return an answer; `arrays` are the outputs of the type, in order, for one item each."""
    data = resources_pb2.Data()
    _WRITERS[model_type.output_class](data, arrays, labels)
    return data


def select(data: Any, config: Any) -> None:
    """Keep the concepts, and the regions, that a request's output_config asks for."""
    wanted = {name for concept in config.select_concepts for name in (concept.id, concept.name)}

    def keeps(concept: Any) -> bool:
        named = not wanted or concept.id in wanted or concept.name in wanted
        return named and concept.value >= config.min_value

    concepts = [concept for concept in data.concepts if keeps(concept)]
    regions = [region for region in data.regions if all(map(keeps, region.data.concepts))]
    del data.concepts[:], data.regions[:]
    # 0 is how protobuf says that no limit is set.
    data.concepts.extend(concepts[: config.max_concepts or None])
    data.regions.extend(regions)


def _concepts(data: Any, arrays: Arrays, labels: Sequence[str]) -> None:
    values = arrays[0].astype(float)
    # Stable: equal scores stay in the order of the labels.
    best_first = np.argsort(-values, kind="stable").tolist()
    data.concepts.extend(_concept(labels, index, values[index]) for index in best_first)


def _boxes(data: Any, arrays: Arrays, labels: Sequence[str]) -> None:
    boxes, indexes, scores = (array.tolist() for array in arrays)
    for place, (box, (index,), (score,)) in enumerate(zip(boxes, indexes, scores)):
        region = data.regions.add(value=score)
        frame = region.region_info.bounding_box
        frame.top_row, frame.left_col, frame.bottom_row, frame.right_col = box
        region.data.concepts.append(_concept(labels, index, score))
        region.id = _id(place, box, labels[index])


def _masks(data: Any, arrays: Arrays, labels: Sequence[str]) -> None:
    (mask,) = arrays
    for index in np.unique(mask).tolist():
        region = data.regions.add(value=1.0)
        cut = np.where(mask == index, np.uint8(255), np.uint8(0))
        _image(region.region_info.mask.image, cut)
        region.data.concepts.append(_concept(labels, index, 1.0))
        region.id = _id(index, mask.shape, labels[index])


def _text(data: Any, arrays: Arrays, _labels: Sequence[str]) -> None:
    data.text.raw = arrays[0].item().decode()


def _embedding(data: Any, arrays: Arrays, _labels: Sequence[str]) -> None:
    vector = arrays[0].tolist()
    data.embeddings.add(vector=vector, num_dimensions=len(vector))


def _picture(data: Any, arrays: Arrays, _labels: Sequence[str]) -> None:
    _image(data.image, arrays[0])


def _image(image: Any, array: Array) -> None:
    image.base64 = encode(array)
    image.image_info.height, image.image_info.width = array.shape[:2]
    image.image_info.format = "PNG"


def _concept(labels: Sequence[str], index: int, value: float) -> Any:
    if index >= len(labels):
        raise InvalidOutputError(f"the model answers label {index}, and has {len(labels)} labels")
    return resources_pb2.Concept(id=labels[index], name=labels[index], value=value)


def _id(*parts: Any) -> str:
    """Return an id that the same answer has every time, where the SDK would draw one."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


_WRITERS: Mapping[str, Write] = {
    "VisualDetectorOutput": _boxes,
    "ClassifierOutput": _concepts,
    "TextOutput": _text,
    "EmbeddingOutput": _embedding,
    "MasksOutput": _masks,
    "ImageOutput": _picture,
}
