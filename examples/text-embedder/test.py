"""Tests of the model, beside the predefined ones: `clarifai-build test` runs both."""

import sys
from pathlib import Path

FOLDER = str(Path(__file__).resolve().parent)
sys.path.insert(0, FOLDER)

from clarifai_runtime.testing import ModelTests  # noqa: E402


class TestSentenceEmbedder(ModelTests):
    folder = FOLDER

    def test_agrees_with_the_published_model(self) -> None:
        """sentence-transformers gives these two sentences a similarity of 0.755."""
        food, bread = self.predict(["A man is eating food.", "A man is eating a piece of bread."])
        assert abs(food.embedding_vector @ bread.embedding_vector - 0.755) < 0.001

    def test_a_long_text_is_cut(self) -> None:
        """What lies beyond the longest input changes nothing."""
        text = "word " * 300
        cut, longer = self.predict([text, text + "another"])
        assert (cut.embedding_vector == longer.embedding_vector).all()
