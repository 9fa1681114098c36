"""An embedder to start from: texts and images become vectors of the same length."""

import zlib

import numpy as np

from clarifai_runtime import EmbeddingOutput, get_model_config

config = get_model_config("multimodal-embedder")

SIZE = 48  # as in clarifai.yaml, shapes.embeddings
LEVELS = SIZE // 3


class InferenceModel:
    def __init__(self):
        # TODO: load your model here; this runs once, when Triton loads the model.
        self.edges = np.linspace(0, 256, LEVELS + 1)

    @config.inference.wrap_func
    def get_predictions(self, input_data: list, **kwargs) -> list:
        """Return a vector for each item: a dict with "image" and "text"; one may be None."""
        return [EmbeddingOutput(embedding_vector=self.embed(item)) for item in input_data]

    def embed(self, item: dict) -> np.ndarray:
        # TODO: call your model.
        vector = np.zeros(SIZE, np.float32)
        if item.get("text") is not None:
            vector += self.normal(self.words(item["text"]))
        if item.get("image") is not None:
            vector += self.normal(self.colours(item["image"]))
        return self.normal(vector)

    def words(self, text: str) -> np.ndarray:
        vector = np.zeros(SIZE, np.float32)
        for word in text.lower().split():
            vector[zlib.crc32(word.encode()) % SIZE] += 1
        return vector

    def colours(self, image: np.ndarray) -> np.ndarray:
        counts = [np.histogram(image[:, :, colour], self.edges)[0] for colour in range(3)]
        return np.concatenate(counts).astype(np.float32)

    @staticmethod
    def normal(vector: np.ndarray) -> np.ndarray:
        return vector / max(float(np.linalg.norm(vector)), 1e-6)
