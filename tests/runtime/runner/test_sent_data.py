"""What a client reads of an answer is what the model answered; what it sends is what arrives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from clarifai_runtime.model_types import MODEL_TYPES
from clarifai_runtime.runner import answers
from clarifai_runtime.runner.items import Reader
from clarifai_runtime.testing.runner.sent_data import arrays_of, data_of

LABELS = ("cat", "dög", "owl")
BOXES = np.array([[0.5, 0.25, 1, 0.75], [0, 0, 0.5, 0.5]], np.float32)
NOISE = np.random.RandomState(0).randint(0, 256, (7, 9, 3)).astype(np.uint8)
ANSWERS: dict[str, Sequence[Any]] = {
    "visual-detector": [BOXES, np.array([[2], [0]], np.int32), np.array([[0.5], [1]], np.float32)],
    "visual-classifier": [np.array([0.5, 0.125, 0.25], np.float32)],
    "text-classifier": [np.array([0, 1, 0.5], np.float32)],
    "text-to-text": [np.array(["Grüße, 你好".encode()], dtype=object)],
    "text-embedder": [np.array([1, -0.5], np.float32)],
    "text-to-image": [NOISE],
    "visual-embedder": [np.array([0.25], np.float32)],
    "visual-segmenter": [np.array([[0, 2, 1], [2, 2, 0]], np.int64)],
    "multimodal-embedder": [np.array([3, 4], np.float32)],
}


@pytest.mark.parametrize("name", sorted(MODEL_TYPES))
def test_an_answer_comes_back_as_it_was(name: str) -> None:
    model_type = MODEL_TYPES[name]
    data = answers.data_of(model_type, LABELS, ANSWERS[name])
    found = arrays_of(model_type, LABELS, data)
    for tensor, wanted in zip(model_type.outputs, ANSWERS[name], strict=True):
        assert found[tensor.name].dtype == wanted.dtype
        assert found[tensor.name][0].tolist() == wanted.tolist()


def test_no_boxes_have_the_shapes_of_boxes() -> None:
    model_type = MODEL_TYPES["visual-detector"]
    none = [np.zeros((0, 4), np.float32), np.zeros((0, 1), np.int32), np.zeros((0, 1), np.float32)]
    found = arrays_of(model_type, LABELS, answers.data_of(model_type, LABELS, none))
    assert [found[tensor.name].shape for tensor in model_type.outputs] == [
        (1, 0, 4),
        (1, 0, 1),
        (1, 0, 1),
    ]


def test_an_input_arrives_as_it_was_sent() -> None:
    reader = Reader(MODEL_TYPES["multimodal-embedder"], (-1, -1))
    text = np.array([["Grüße".encode()]], dtype=object)
    arrived = reader.of_data(data_of({"image": NOISE[np.newaxis], "text": text}))
    assert arrived["image"].tolist() == NOISE[np.newaxis].tolist()
    assert arrived["text"].tolist() == text.tolist()
