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


class TestTextDetector(ModelTests):
    folder = FOLDER

    def test_finds_each_line(self) -> None:
        """Two lines are two boxes, one above the other, sure and labelled."""
        (found,) = self.predict([picture_of("A line of text", "and another one")])
        upper, lower = sorted(found.predicted_bboxes.tolist())
        assert upper[2] < lower[0]
        assert found.predicted_scores.min() > 0.9
        assert found.predicted_labels.tolist() == [[0], [0]]

    def test_nothing_is_found_on_an_empty_page(self) -> None:
        """A white picture has no text, and that is an answer."""
        (found,) = self.predict([picture_of()])
        assert found.predicted_bboxes.shape == (0, 4)

    def test_threshold_drops_what_is_less_sure(self) -> None:
        """No score reaches 1."""
        (found,) = self.predict([picture_of("A line of text")], threshold=1.0)
        assert len(found.predicted_scores) == 0
