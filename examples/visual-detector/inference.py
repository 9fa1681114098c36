"""Finds lines of text in photos."""

from pathlib import Path

import numpy as np
from dbnet import TextDetector

from clarifai_runtime import VisualDetectorOutput, get_model_config

config = get_model_config("visual-detector")


class InferenceModel:
    def __init__(self) -> None:
        self.detector = TextDetector(Path(__file__).parent / "det.onnx")

    @config.inference.wrap_func
    def get_predictions(self, input_data: list, threshold=0.5, resolution=736) -> list:
        """Return the boxes, labels and scores of each image, best first."""
        outputs = []
        for image in input_data:
            boxes, scores = self.detector.find_lines(image, resolution)
            kept = scores >= threshold
            outputs.append(
                VisualDetectorOutput(
                    predicted_bboxes=boxes[kept],
                    predicted_labels=np.zeros((kept.sum(), 1), np.int32),
                    predicted_scores=scores[kept, None],
                )
            )
        return outputs
