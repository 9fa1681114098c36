"""Tells the language of a text, with the model of py3langid: naive Bayes over byte n-grams."""

import io
import lzma
import math
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np

from clarifai_runtime import ClassifierOutput, InvalidInputError, get_model_config

config = get_model_config("text-classifier")


class InferenceModel:
    def __init__(self) -> None:
        packed = (Path(__file__).parent / "langid.npz.xz").read_bytes()
        with np.load(io.BytesIO(lzma.decompress(packed)), allow_pickle=False) as model:
            self.next_state = model["nextmove"].reshape(-1, 256)
            self.row_of_state = model["nextmove_row"]
            self.feature_of_state = model["out_feat"]
            self.log_likelihood = model["ptc"]
            self.log_prior = model["pc"]
            classes = model["classes"].tolist()
        # A language that is written in two scripts has two classes, and one label.
        self.labels = list(dict.fromkeys(classes))
        self.label_of_class = [self.labels.index(code) for code in classes]

    @config.inference.wrap_func
    def get_predictions(self, input_data: list, languages="") -> list:
        """Return a probability for each label; `languages` narrows the choice."""
        wanted = [code.strip() for code in languages.split(",") if code.strip()]
        if unknown := set(wanted) - set(self.labels):
            raise InvalidInputError(f"no such language: {', '.join(sorted(unknown))}")
        allowed = np.array([not wanted or label in wanted for label in self.labels])
        scores = [self.classify(text, allowed) for text in input_data]
        return [ClassifierOutput(predicted_scores=row) for row in scores]

    def classify(self, text: str, allowed: np.ndarray) -> np.ndarray:
        data = encode(text)
        counts = self.count_features(data)
        scores = self.log_prior.astype(np.float32)
        if counts:
            scores += np.log1p(list(counts.values())) @ self.log_likelihood[list(counts)]
        # Long texts would make everything certain; py3langid calibrates by the root of the length.
        scores /= math.sqrt(len(data) or 1)
        likelihood = np.exp(scores - scores.max())
        by_label = np.bincount(self.label_of_class, likelihood) * allowed
        return (by_label / by_label.sum()).astype(np.float32)

    def count_features(self, data: bytes) -> Counter:
        """Walk the automaton over the bytes; a state may stand for an n-gram just seen."""
        state, features = 0, []
        for byte in data:
            state = self.next_state[self.row_of_state[state], byte]
            features.append(self.feature_of_state[state])
        return Counter(feature for feature in features if feature >= 0)


def encode(text: str) -> bytes:
    lowered = text.lower() if text.isupper() else text
    return unicodedata.normalize("NFC", lowered).encode("utf-8")
