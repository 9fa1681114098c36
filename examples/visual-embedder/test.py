"""Tests of the model, beside the predefined ones: `clarifai-build test` runs both."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

FOLDER = str(Path(__file__).resolve().parent)
sys.path.insert(0, FOLDER)

from clarifai_runtime.testing import ModelTests  # noqa: E402


def picture_of(*lines: str) -> np.ndarray:
    """Draw lines of black text on white."""
    image = Image.new("RGB", (640, 40 + 80 * len(lines)), "white")
    for number, line in enumerate(lines):
        place = (30, 30 + 80 * number)
        ImageDraw.Draw(image).text(place, line, "black", ImageFont.load_default(size=40))
    return np.asarray(image)


class TestPhotoTextEmbedder(ModelTests):
    folder = FOLDER

    def test_what_is_written_decides(self) -> None:
        """The same words on one line and on two are close; other words are not."""
        pictures = [["The train is late"], ["The train", "is late"], ["Fresh bread"]]
        same, again, other = self.predict([picture_of(*lines) for lines in pictures])
        assert same.embedding_vector.shape == (384,)
        assert same.embedding_vector @ again.embedding_vector > 0.9
        assert same.embedding_vector @ other.embedding_vector < 0.5
