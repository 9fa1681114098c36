"""Embeds photos by what is written in them: find those that speak of the same."""

from pathlib import Path

from minilm import MiniLM
from reader import Reader

from clarifai_runtime import EmbeddingOutput, get_model_config

config = get_model_config("visual-embedder")


class InferenceModel:
    def __init__(self) -> None:
        folder = Path(__file__).parent
        self.reader = Reader(folder / "det.onnx", folder / "rec.onnx")
        self.encoder = MiniLM(folder / "minilm.safetensors", folder / "vocab.txt")

    @config.inference.wrap_func
    def get_predictions(self, input_data: list) -> list:
        texts = [self.reader.read(image) for image in input_data]
        return [EmbeddingOutput(embedding_vector=self.encoder.embed(text)) for text in texts]
