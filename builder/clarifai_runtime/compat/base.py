"""The class form of a model (clarifai 10.x): `class InferenceModel(TextToText)` with `predict`."""

from __future__ import annotations

from typing import Any, ClassVar, Dict, List, Sequence

import numpy as np

from ..config import ModelConfig, get_model_config
from ..outputs import VisualDetectorOutput
from ..parameters import Value


class ClarifaiModel:
    """Base of the classes below, one a model type."""

    model_type: ClassVar[str]

    @property
    def config(self) -> ModelConfig:
        """The configuration of the model type."""
        return get_model_config(self.model_type)

    def predict(self, input_data: List[Any], inference_parameters: Dict[str, Value]) -> List[Any]:
        """Return one output object for each item, in order."""
        raise NotImplementedError(f"{type(self).__name__} must define predict")


class MultiModalEmbedder(ClarifaiModel):
    """Images, texts or both, as {"image": ..., "text": ...} → EmbeddingOutput."""

    model_type = "multimodal-embedder"


class TextClassifier(ClarifaiModel):
    """Texts → ClassifierOutput."""

    model_type = "text-classifier"


class TextEmbedder(ClarifaiModel):
    """Texts → EmbeddingOutput."""

    model_type = "text-embedder"


class TextToImage(ClarifaiModel):
    """Texts → ImageOutput."""

    model_type = "text-to-image"


class TextToText(ClarifaiModel):
    """Texts → TextOutput."""

    model_type = "text-to-text"


class VisualClassifier(ClarifaiModel):
    """Images → ClassifierOutput."""

    model_type = "visual-classifier"


class VisualDetector(ClarifaiModel):
    """Images → VisualDetectorOutput."""

    model_type = "visual-detector"

    @staticmethod
    def postprocess(
        width: int,
        height: int,
        labels: Sequence[int],
        scores: Sequence[float],
        xyxy_boxes: Sequence[Sequence[float]],
        max_bbox_count: int = 500,
    ) -> VisualDetectorOutput:
        """Make an output of boxes in pixels (left, top, right, bottom); at most `max_bbox_count`.

        The runtime pads detections itself, so none are added here.
        """
        boxes = np.asarray(xyxy_boxes, dtype=np.float32).reshape(-1, 4)[:max_bbox_count]
        scale = np.array([height, width, height, width], dtype=np.float32)
        return VisualDetectorOutput(
            (boxes[:, [1, 0, 3, 2]] / scale).clip(0, 1),
            np.asarray(labels, dtype=np.int32).reshape(-1, 1)[:max_bbox_count],
            np.asarray(scores, dtype=np.float32).reshape(-1, 1)[:max_bbox_count],
        )


class VisualEmbedder(ClarifaiModel):
    """Images → EmbeddingOutput."""

    model_type = "visual-embedder"


class VisualSegmenter(ClarifaiModel):
    """Images → MasksOutput."""

    model_type = "visual-segmenter"


BASE_CLASSES = (
    MultiModalEmbedder,
    TextClassifier,
    TextEmbedder,
    TextToImage,
    TextToText,
    VisualClassifier,
    VisualDetector,
    VisualEmbedder,
    VisualSegmenter,
)
