"""Tests of the model, beside the predefined ones: `clarifai-build test` runs both."""

import sys
from pathlib import Path

import pytest

FOLDER = str(Path(__file__).resolve().parent)
sys.path.insert(0, FOLDER)

from clarifai_runtime.errors import RequestError  # noqa: E402
from clarifai_runtime.testing import ModelTests  # noqa: E402


class TestQrCode(ModelTests):
    folder = FOLDER

    def test_a_picture_has_the_size_asked_for(self) -> None:
        """However long the text is; it is black on white."""
        for text in ("x", "https://example.com/" + "x" * 200):
            (answer,) = self.predict([text], size=300)
            assert answer.image.shape == (300, 300, 3)
            assert set(answer.image.ravel().tolist()) == {0, 255}

    def test_what_does_not_fit_is_refused(self) -> None:
        """A picture that is too small, and a text that is too long for any code."""
        with pytest.raises(RequestError, match="needs at least 29"):
            self.predict(["x"], size=20)
        with pytest.raises(RequestError, match="5000 characters do not fit"):
            self.predict(["x" * 5000])
