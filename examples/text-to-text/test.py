"""Tests of the model, beside the predefined ones: `clarifai-build test` runs both."""

import sys
from pathlib import Path

FOLDER = str(Path(__file__).resolve().parent)
sys.path.insert(0, FOLDER)

from clarifai_runtime.testing import ModelTests  # noqa: E402


class TestSpellingCorrector(ModelTests):
    folder = FOLDER

    def test_corrects(self) -> None:
        """Letters, and spaces that are missing or misplaced."""
        (answer,) = self.predict(["Whereis th elove hehad dated"])
        assert answer.predicted_text == "Where is the love he had dated"

    def test_leaves_alone_what_is_too_far_away(self) -> None:
        """At a distance of 0 nothing is corrected."""
        (answer,) = self.predict(["teh"], distance=0)
        assert answer.predicted_text == "teh"

    def test_an_empty_text_stays_empty(self) -> None:
        """Nothing in, nothing out."""
        (answer,) = self.predict([""])
        assert answer.predicted_text == ""
