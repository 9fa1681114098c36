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


class TestPhotoSearch(ModelTests):
    folder = FOLDER

    def test_what_is_written_decides(self) -> None:
        """Words in a picture and as text are close; other words are not."""
        same, again, other = self.predict(
            [
                {"image": picture_of("The train is late"), "text": None},
                {"image": None, "text": "The train is late"},
                {"image": None, "text": "Fresh bread"},
            ]
        )
        assert same.embedding_vector.shape == (384,)
        assert same.embedding_vector @ again.embedding_vector > 0.9
        assert same.embedding_vector @ other.embedding_vector < 0.5
