"""Decoupled models: an answer in pieces, each sent as it comes."""

from __future__ import annotations

import numpy as np
import pytest

from clarifai_runtime.testing.fake_triton import InferenceRequest
from runtime.portable.exchanges import Opened, errors, texts
from runtime.portable.repositories import seed_style, write_repository

SOURCE = """
from clarifai_runtime import TextOutput, get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data, **kwargs):
        for word in input_data[0].split():
            if word == "bad":
                raise ValueError("a bad word")
            yield TextOutput(word) if word.isupper() else word
"""


@pytest.fixture
def opened(tmp_path):
    """Return a streaming model that gives back the words of a text."""
    return Opened(write_repository(tmp_path, "text-to-text", SOURCE, streaming=True))


def words(responses):
    """Return the pieces."""
    return [response.tensors["text"].item().decode() for response in responses]


def test_pieces_are_sent_as_they_come(opened):
    """Each piece, a str or a TextOutput, is a response of its own."""
    assert words(opened.stream(texts("one TWO Grüße"))) == ["one", "TWO", "Grüße"]


def test_an_empty_answer_ends(opened):
    """A stream without a piece still has its end."""
    assert opened.stream(texts("")) == []


def test_a_failure_ends_the_stream_with_its_error(opened):
    """What was sent stays, and the error is the last response."""
    responses = opened.stream(texts("one bad three"))
    assert errors(responses) == [None, "INTERNAL"]
    assert "a bad word" in str(responses[1].error)


@pytest.mark.parametrize(
    "request_", [texts("a", "b"), texts("a", params={"unknown": 1})], ids=["rows", "parameter"]
)
def test_what_can_not_be_streamed_is_refused(opened, request_):
    """One text a request, and declared parameters only."""
    assert errors(opened.stream(request_)) == ["INVALID_ARG"]


def test_a_cancelled_stream_stops(opened):
    """Nothing is sent to a caller who has gone, but the end."""
    gone = InferenceRequest({"text": np.array([[b"one two"]], dtype=object)}, cancelled=True)
    assert opened.stream(gone) == []


def test_a_model_that_returns_a_list_streams_it(tmp_path):
    """Code that does not yield works, too: its one answer is one piece."""
    source = seed_style("text-to-text")
    opened = Opened(write_repository(tmp_path, "text-to-text", source, streaming=True))
    assert words(opened.stream(texts("abc"))) == ["ABC"]
