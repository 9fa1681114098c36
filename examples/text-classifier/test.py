"""Tests of the model, beside the predefined ones: `clarifai-build test` runs both."""

import sys
from pathlib import Path

import pytest

FOLDER = str(Path(__file__).resolve().parent)
sys.path.insert(0, FOLDER)


from clarifai_runtime.errors import RequestError  # noqa: E402
from clarifai_runtime.testing import ModelTests  # noqa: E402


class TestLanguageIdentifier(ModelTests):
    folder = FOLDER

    def test_labels_are_the_models_own(self) -> None:
        """labels.txt has the model's languages in the model's order."""
        labels = Path(FOLDER, "..", "labels.txt").read_text(encoding="utf-8").split()
        texts = {"de": "Wo ist der Bahnhof?", "pl": "Gdzie jest dworzec?", "ja": "駅はどこですか"}
        answers = self.predict(list(texts.values()))
        assert [labels[answer.predicted_scores.argmax()] for answer in answers] == list(texts)

    def test_only_the_languages_asked_for(self) -> None:
        """Two languages share the whole probability."""
        (answer,) = self.predict(["Wo ist der Bahnhof?"], languages="nl,en")
        assert sorted(answer.predicted_scores > 0)[-3:] == [False, True, True]

    def test_an_unknown_language_is_refused(self) -> None:
        """The reason names it."""
        with pytest.raises(RequestError, match="klingon"):
            self.predict(["qapla"], languages="klingon")
