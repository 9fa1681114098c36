"""Embeds texts, and photos by what is written in them, into one space: search photos with words."""

from pathlib import Path

from minilm import MiniLM
from reader import Reader

from clarifai_runtime import EmbeddingOutput, get_model_config

config = get_model_config("multimodal-embedder")


class InferenceModel:
    def __init__(self) -> None:
        folder = Path(__file__).parent
        self.reader = Reader(folder / "det.onnx", folder / "rec.onnx")
        self.encoder = MiniLM(folder / "minilm.safetensors", folder / "vocab.txt")

    @config.inference.wrap_func
    def get_predictions(self, input_data: list) -> list:
        """Embed each item: its text, what is written in its image, or both together."""
        texts = [self.text_of(item) for item in input_data]
        return [EmbeddingOutput(embedding_vector=self.encoder.embed(text)) for text in texts]

    def text_of(self, item: dict) -> str:
        parts = []
        if item["text"] is not None:
            parts.append(item["text"])
        if item["image"] is not None:
            parts.append(self.reader.read(item["image"]))
        return " ".join(parts)
