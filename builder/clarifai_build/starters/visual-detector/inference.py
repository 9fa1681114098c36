"""A detector to start from: it finds the part of an image that is brighter than the rest."""

import numpy as np

from clarifai_runtime import VisualDetectorOutput, get_model_config

config = get_model_config("visual-detector")

BRIGHT = 0  # the label's line in labels.txt, counted from 0


class InferenceModel:
    def __init__(self):
        # TODO: load your model here; this runs once, when Triton loads the model.
        self.margin = 32

    @config.inference.wrap_func
    def get_predictions(self, input_data: list, **kwargs) -> list:
        """Return the boxes, labels and scores of each image (height, width, 3, uint8, RGB)."""
        return [self.detect(image) for image in input_data]

    def detect(self, image: np.ndarray) -> VisualDetectorOutput:
        # TODO: call your model. A box is [top, left, bottom, right], each from 0 to 1.
        grey = image.mean(axis=2)
        bright = grey > grey.mean() + self.margin
        rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
        if not rows.size:
            return VisualDetectorOutput(
                predicted_bboxes=np.zeros((0, 4), np.float32),
                predicted_labels=np.zeros((0, 1), np.int32),
                predicted_scores=np.zeros((0, 1), np.float32),
            )
        height, width = bright.shape
        box = [rows[0] / height, columns[0] / width, (rows[-1] + 1) / height]
        box.append((columns[-1] + 1) / width)
        inside = bright[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return VisualDetectorOutput(
            predicted_bboxes=np.array([box], np.float32),
            predicted_labels=np.array([[BRIGHT]], np.int32),
            predicted_scores=np.array([[inside.mean()]], np.float32),
        )
