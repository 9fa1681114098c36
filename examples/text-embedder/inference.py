"""Embeds sentences with all-MiniLM-L6-v2: similar meanings get similar vectors."""

from pathlib import Path

from minilm import MiniLM

from clarifai_runtime import EmbeddingOutput, get_model_config

config = get_model_config("text-embedder")


class InferenceModel:
    def __init__(self) -> None:
        folder = Path(__file__).parent
        self.encoder = MiniLM(folder / "minilm.safetensors", folder / "vocab.txt")

    @config.inference.wrap_func
    def get_predictions(self, input_data: list) -> list:
        return [EmbeddingOutput(embedding_vector=self.encoder.embed(text)) for text in input_data]
