"""Parts a photo into text and background, pixel by pixel."""

from pathlib import Path

import numpy as np
from dbnet import TEXT_PROBABILITY, TextDetector
from PIL import Image

from clarifai_runtime import MasksOutput, get_model_config

config = get_model_config("visual-segmenter")


class InferenceModel:
    def __init__(self) -> None:
        self.detector = TextDetector(Path(__file__).parent / "det.onnx")

    @config.inference.wrap_func
    def get_predictions(self, input_data: list) -> list:
        """Return for each image a mask of its size: 0 is background, 1 is text."""
        return [MasksOutput(predicted_mask=self.mask(image)) for image in input_data]

    def mask(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        text_map = Image.fromarray(self.detector.text_map(image))
        full_size = np.asarray(text_map.resize((width, height), Image.BILINEAR))
        return (full_size > TEXT_PROBABILITY).astype(np.int64)
