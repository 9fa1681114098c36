"""Tells whether a line of text is upright or upside down, with PP-OCR's orientation network."""

from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from clarifai_runtime import ClassifierOutput, get_model_config

config = get_model_config("visual-classifier")

HEIGHT, WIDTH = 48, 192  # what the network takes


class InferenceModel:
    def __init__(self) -> None:
        weights = Path(__file__).parent / "cls.onnx"
        self.network = onnxruntime.InferenceSession(
            str(weights), providers=["CPUExecutionProvider"]
        )

    @config.inference.wrap_func
    def get_predictions(self, input_data: list) -> list:
        """Return a probability for each label; all images go through the network at once."""
        batch = np.stack([prepare(image) for image in input_data])
        (scores,) = self.network.run(None, {"x": batch})
        return [ClassifierOutput(predicted_scores=row) for row in scores]


def prepare(image: np.ndarray) -> np.ndarray:
    """Scale to the network's height, squeeze what is too wide, fill up with grey at the right."""
    height, width = image.shape[:2]
    scaled = min(WIDTH, max(1, round(width * HEIGHT / height)))
    pixels = Image.fromarray(image).resize((scaled, HEIGHT), Image.BILINEAR)
    prepared = np.zeros((3, HEIGHT, WIDTH), np.float32)
    bgr = np.asarray(pixels, np.float32)[:, :, ::-1] / 127.5 - 1
    prepared[:, :, :scaled] = bgr.transpose(2, 0, 1)
    return prepared
