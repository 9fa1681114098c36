"""From tensors to a request's outputs, through the output field map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from clarifai_grpc.grpc.api import resources_pb2

from clarifai_build.sandbox.api.builds.served_model import ServedModel
from clarifai_build.sandbox.api.errors import ApiError, Code
from clarifai_build.sandbox.api.rpc import images

Array = np.ndarray[Any, Any]
# Keys of output_fields_map, as the platform spells them.
_BOX = "regions[...].region_info.bounding_box"
_BOX_LABEL = "regions[...].data.concepts[...].id"
_BOX_SCORE = "regions[...].data.concepts[...].value"
_MASK = "regions[...].region_info.mask,regions[...].data.concepts"


def data(
    arrays: Mapping[str, Array], fields: Mapping[str, str], model: ServedModel
) -> resources_pb2.Data:
    """Return one answer of Triton as Clarifai data."""
    batched = model.config.max_batch_size > 0
    by_field = {
        field: _Output(arrays[name][0] if batched else arrays[name], model.labels.get(name, ()))
        for field, name in fields.items()
    }
    answer = resources_pb2.Data()
    if _BOX in by_field:
        answer.regions.extend(_boxes(by_field[_BOX], by_field[_BOX_LABEL], by_field[_BOX_SCORE]))
    for field, output in by_field.items():
        if field == "concepts":
            answer.concepts.extend(_concepts(output))
        elif field == "text":
            answer.text.raw = _text(output.array)
        elif field == "embeddings":
            vector = output.array.astype(float).ravel().tolist()
            answer.embeddings.add(vector=vector, num_dimensions=len(vector))
        elif field == "image":
            answer.image.CopyFrom(_image(output.array))
        elif field == _MASK:
            answer.regions.extend(_masks(output))
    return answer


def select(answer: resources_pb2.Data, config: resources_pb2.OutputConfig) -> None:
    """Keep the concepts, and the regions, that a request's output_config asks for."""
    wanted = {name for concept in config.select_concepts for name in (concept.id, concept.name)}

    def keeps(concept: resources_pb2.Concept) -> bool:
        named = not wanted or concept.id in wanted or concept.name in wanted
        return named and concept.value >= config.min_value

    concepts = [concept for concept in answer.concepts if keeps(concept)]
    regions = [region for region in answer.regions if all(map(keeps, region.data.concepts))]
    del answer.concepts[:], answer.regions[:]
    # 0 is how protobuf says that no limit is set.
    answer.concepts.extend(concepts[: config.max_concepts or None])
    answer.regions.extend(regions)


class _Output:
    """One tensor without its batch dimension, and what its indexes mean."""

    def __init__(self, array: Array, labels: Sequence[str]) -> None:
        self.array = array
        self._labels = labels

    def concept(self, index: int, value: float) -> resources_pb2.Concept:
        if not 0 <= index < len(self._labels):
            raise ApiError(
                Code.MODEL_PREDICTION_FAILED,
                f"the model answers label {index}, and labels.txt has {len(self._labels)} labels",
            )
        label = self._labels[index]
        return resources_pb2.Concept(id=label, name=label, value=value)


def _concepts(output: _Output) -> list[resources_pb2.Concept]:
    values = output.array.astype(float).ravel()
    # Stable: equal scores stay in the order of the labels.
    best_first = np.argsort(-values, kind="stable")
    return [output.concept(int(index), float(values[index])) for index in best_first]


def _boxes(boxes: _Output, labels: _Output, scores: _Output) -> list[resources_pb2.Region]:
    rows = boxes.array.reshape(-1, 4)
    if not len(rows) == labels.array.size == scores.array.size:
        raise ApiError(
            Code.MODEL_PREDICTION_FAILED,
            f"the model answers {len(rows)} boxes, {labels.array.size} labels"
            f" and {scores.array.size} scores",
        )
    return [
        _box(row, labels.concept(int(label), float(score)))
        for row, label, score in zip(rows, labels.array.flat, scores.array.flat, strict=True)
    ]


def _box(row: Array, concept: resources_pb2.Concept) -> resources_pb2.Region:
    top, left, bottom, right = map(float, row)
    region = resources_pb2.Region(value=concept.value)
    region.region_info.bounding_box.CopyFrom(
        resources_pb2.BoundingBox(top_row=top, left_col=left, bottom_row=bottom, right_col=right)
    )
    region.data.concepts.append(concept)
    return region


def _masks(output: _Output) -> list[resources_pb2.Region]:
    regions = []
    for index in np.unique(output.array):
        region = resources_pb2.Region(value=1.0)
        mask = np.where(output.array == index, np.uint8(255), np.uint8(0))
        region.region_info.mask.image.CopyFrom(_image(mask))
        region.data.concepts.append(output.concept(int(index), 1.0))
        regions.append(region)
    return regions


def _text(array: Array) -> str:
    value = array.reshape(-1)[0]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _image(array: Array) -> resources_pb2.Image:
    image = resources_pb2.Image(base64=images.encode(array))
    image.image_info.height, image.image_info.width = array.shape[:2]
    image.image_info.format = "PNG"
    return image
