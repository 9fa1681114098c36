"""The nine Clarifai model types: tensors, labels, and how the platform names their fields."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Tuple

ANY = -1
"""A dim that may have any size."""


class Tensor(NamedTuple):
    """One input or output of a model as config.pbtxt declares it, without the batch dim.

    `dtype` is Triton's name without the TYPE_ prefix. `labels` says that the tensor's values are
    indexes into labels.txt.
    """

    name: str
    dtype: str
    dims: Tuple[int, ...]
    optional: bool = False
    labels: bool = False


class ModelType(NamedTuple):
    """What one Clarifai model type takes and gives.

    `output_class` names the class in `clarifai_runtime.outputs` that predictions are instances of.
    The field maps go to the platform as they are. `generates` is true where one answer takes long
    because it is produced piece by piece.
    """

    name: str
    inputs: Tuple[Tensor, ...]
    outputs: Tuple[Tensor, ...]
    output_class: str
    input_fields_map: Mapping[str, str]
    output_fields_map: Mapping[str, str]
    generates: bool = False

    @property
    def has_labels(self) -> bool:
        """Whether predictions refer to labels.txt."""
        return any(tensor.labels for tensor in self.outputs)

    @property
    def has_image_input(self) -> bool:
        """Whether the model takes images."""
        return any(tensor.name == "image" for tensor in self.inputs)


IMAGE = Tensor("image", "UINT8", (ANY, ANY, 3))
TEXT = Tensor("text", "STRING", (1,))
EMBEDDINGS = Tensor("embeddings", "FP32", (ANY,))
CONCEPTS = Tensor("softmax_predictions", "FP32", (ANY,), labels=True)
MASK = Tensor("predicted_mask", "INT64", (ANY, ANY), labels=True)
DETECTIONS = (
    Tensor("predicted_bboxes", "FP32", (ANY, 4)),
    Tensor("predicted_labels", "INT32", (ANY, 1), labels=True),
    Tensor("predicted_scores", "FP32", (ANY, 1)),
)

_IMAGE_FIELDS = {"image": "image"}
_TEXT_FIELDS = {"text": "text"}
_CONCEPT_FIELDS = {"concepts": "softmax_predictions"}
_EMBEDDING_FIELDS = {"embeddings": "embeddings"}
_REGION_FIELDS = {
    "regions[...].region_info.bounding_box": "predicted_bboxes",
    "regions[...].data.concepts[...].id": "predicted_labels",
    "regions[...].data.concepts[...].value": "predicted_scores",
}
_MASK_FIELDS = {"regions[...].region_info.mask,regions[...].data.concepts": "predicted_mask"}

_TABLE = (
    ModelType(
        "visual-detector",
        (IMAGE,),
        DETECTIONS,
        "VisualDetectorOutput",
        _IMAGE_FIELDS,
        _REGION_FIELDS,
    ),
    ModelType(
        "visual-classifier",
        (IMAGE,),
        (CONCEPTS,),
        "ClassifierOutput",
        _IMAGE_FIELDS,
        _CONCEPT_FIELDS,
    ),
    ModelType(
        "text-classifier",
        (TEXT,),
        (CONCEPTS,),
        "ClassifierOutput",
        _TEXT_FIELDS,
        _CONCEPT_FIELDS,
    ),
    ModelType(
        "text-to-text",
        (TEXT,),
        (TEXT,),
        "TextOutput",
        _TEXT_FIELDS,
        _TEXT_FIELDS,
        generates=True,
    ),
    ModelType(
        "text-embedder",
        (TEXT,),
        (EMBEDDINGS,),
        "EmbeddingOutput",
        _TEXT_FIELDS,
        _EMBEDDING_FIELDS,
    ),
    ModelType(
        "text-to-image",
        (TEXT,),
        (IMAGE,),
        "ImageOutput",
        _TEXT_FIELDS,
        _IMAGE_FIELDS,
        generates=True,
    ),
    ModelType(
        "visual-embedder",
        (IMAGE,),
        (EMBEDDINGS,),
        "EmbeddingOutput",
        _IMAGE_FIELDS,
        _EMBEDDING_FIELDS,
    ),
    ModelType(
        "visual-segmenter",
        (IMAGE,),
        (MASK,),
        "MasksOutput",
        _IMAGE_FIELDS,
        _MASK_FIELDS,
    ),
    ModelType(
        "multimodal-embedder",
        (IMAGE._replace(optional=True), TEXT._replace(optional=True)),
        (EMBEDDINGS,),
        "EmbeddingOutput",
        {"image": "image", "text": "text"},
        _EMBEDDING_FIELDS,
    ),
)

MODEL_TYPES: Mapping[str, ModelType] = {model_type.name: model_type for model_type in _TABLE}
"""Every model type by its Clarifai name."""
