"""What a model returns: one object per item, of the class its type names.

Constructors check type and rank, so that a mistake shows on the line that makes it. Values (range,
NaN, box order, label range) are checked for whole batches at once, in `encoding`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, Type, Union

import numpy as np

from .errors import InvalidOutputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

NUMERIC_KINDS = "fiub"


def as_array(value: object, rank: int, field: str) -> Array:
    """Return `value` as a numeric array of `rank`, or say what it is instead."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise InvalidOutputError(f"{field} is not an array: {error}") from error
    if array.ndim != rank:
        hint = " (reshape it with .reshape(-1, 1))" if rank == 2 and array.ndim == 1 else ""
        raise InvalidOutputError(
            f"{field} must have {rank} dimension{'s'[: rank != 1]}, "
            f"but its shape is {array.shape}{hint}"
        )
    if array.dtype.kind not in NUMERIC_KINDS:
        raise InvalidOutputError(f"{field} must hold numbers, but its dtype is {array.dtype}")
    return array


@dataclass
class VisualDetectorOutput:
    """Detections in one image: n boxes [top, left, bottom, right] in 0..1, labels and scores.

    Shapes are (n, 4), (n, 1) and (n, 1); labels are indexes into labels.txt.
    """

    predicted_bboxes: Array
    predicted_labels: Array
    predicted_scores: Array

    def __post_init__(self) -> None:
        boxes = as_array(self.predicted_bboxes, 2, "predicted_bboxes")
        labels = as_array(self.predicted_labels, 2, "predicted_labels")
        scores = as_array(self.predicted_scores, 2, "predicted_scores")
        count = len(boxes)
        shapes = (boxes.shape, labels.shape, scores.shape)
        if shapes != ((count, 4), (count, 1), (count, 1)):
            raise InvalidOutputError(
                "predicted_bboxes, predicted_labels and predicted_scores must have the shapes "
                f"(n, 4), (n, 1) and (n, 1), but have {boxes.shape}, {labels.shape} "
                f"and {scores.shape}"
            )
        self.predicted_bboxes = boxes
        self.predicted_labels = labels
        self.predicted_scores = scores


@dataclass
class ClassifierOutput:
    """One score in 0..1 for each label, in the order of labels.txt."""

    predicted_scores: Array

    def __post_init__(self) -> None:
        self.predicted_scores = as_array(self.predicted_scores, 1, "predicted_scores")


@dataclass
class TextOutput:
    """A text."""

    predicted_text: str

    def __post_init__(self) -> None:
        self.predicted_text = as_text(self.predicted_text)


def as_text(value: Union[str, object]) -> str:
    """Return `value` as a str; clarifai 9.7 to 9.10 had arrays of one text."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
        value = value.decode() if isinstance(value, bytes) else value
    if not isinstance(value, str):
        raise InvalidOutputError(f"predicted_text must be a str, but is a {type(value).__name__}")
    return value


@dataclass
class EmbeddingOutput:
    """An embedding: a vector of finite numbers."""

    embedding_vector: Array

    def __post_init__(self) -> None:
        self.embedding_vector = as_array(self.embedding_vector, 1, "embedding_vector")


@dataclass
class MasksOutput:
    """The label of every pixel, as an index into labels.txt: height x width."""

    predicted_mask: Array

    def __post_init__(self) -> None:
        self.predicted_mask = as_array(self.predicted_mask, 2, "predicted_mask")


@dataclass
class ImageOutput:
    """An RGB image: height x width x 3, whole numbers from 0 to 255."""

    image: Array

    def __post_init__(self) -> None:
        self.image = as_array(self.image, 3, "image")
        if self.image.shape[2] != 3:
            raise InvalidOutputError(
                f"image must be height x width x 3 (RGB), but its shape is {self.image.shape}"
            )


OUTPUT_CLASSES: Dict[str, Type[Any]] = {
    cls.__name__: cls
    for cls in (
        VisualDetectorOutput,
        ClassifierOutput,
        TextOutput,
        EmbeddingOutput,
        MasksOutput,
        ImageOutput,
    )
}
"""The output classes by name."""
