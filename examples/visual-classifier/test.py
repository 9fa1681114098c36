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


class TestTextOrientation(ModelTests):
    folder = FOLDER

    def test_tells_what_stands_on_its_head(self) -> None:
        """A line, and the same line turned by 180 degrees, answered together."""
        line = picture_of("Which way is up?")[25:85]
        upright, turned = self.predict([line, line[::-1, ::-1]])
        assert upright.predicted_scores.argmax() == 0
        assert turned.predicted_scores.argmax() == 1
