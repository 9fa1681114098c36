"""An image generator to start from: it draws a symmetric pattern that depends on the text."""

import hashlib

import numpy as np

from clarifai_runtime import ImageOutput, get_model_config

config = get_model_config("text-to-image")

CELLS = 8
PIXELS = 32  # a cell's side


class InferenceModel:
    def __init__(self):
        # TODO: load your model here; this runs once, when Triton loads the model.
        self.background = 255

    @config.inference.wrap_func
    def get_predictions(self, input_data: list, **kwargs) -> list:
        """Return an image (height, width, 3, uint8, RGB) for each text (str)."""
        return [ImageOutput(image=self.draw(text)) for text in input_data]

    def draw(self, text: str) -> np.ndarray:
        # TODO: call your model.
        digest = np.frombuffer(hashlib.sha256(text.encode()).digest(), np.uint8)
        half = np.unpackbits(digest)[: CELLS * CELLS // 2].reshape(CELLS, CELLS // 2)
        cells = np.concatenate([half, half[:, ::-1]], axis=1).astype(bool)
        image = np.full((CELLS, CELLS, 3), self.background, np.uint8)
        image[cells] = digest[-3:]
        return image.repeat(PIXELS, axis=0).repeat(PIXELS, axis=1)
