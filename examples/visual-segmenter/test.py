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


class TestTextSegmenter(ModelTests):
    folder = FOLDER

    def test_marks_the_line_and_not_the_paper(self) -> None:
        """The mask has the picture's size; 1 is where the line is."""
        picture = picture_of("A line of text")
        (answer,) = self.predict([picture])
        assert answer.predicted_mask.shape == picture.shape[:2]
        assert answer.predicted_mask[30:80, 40:250].any(axis=0).mean() > 0.9
        assert answer.predicted_mask[:, 500:].max() == 0
