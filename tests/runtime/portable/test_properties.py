"""Merged answers equal one-by-one answers, whatever the requests are."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clarifai_runtime.model_types import MODEL_TYPES
from runtime.portable.exchanges import Opened, image, images, multimodal, raw_texts
from runtime.portable.repositories import write_repository

PARAMS = [{"name": "k", "type": "number", "default": 1}]
sizes = st.sampled_from([(1, 1), (2, 3), (3, 2)])
grey = st.integers(0, 255)
params = st.sampled_from([{}, {"k": 1.0}, {"k": 2}, {"k": "wrong"}, {"unknown": 1}])


@st.composite
def text_requests(draw):
    """Draw text requests of one or more rows, some not UTF-8, with good and bad parameters."""
    rows = draw(st.lists(st.binary(max_size=6) | st.just(b"cat"), min_size=1, max_size=3))
    sent = draw(params)
    return lambda: raw_texts(*rows, params=sent)


@st.composite
def image_requests(draw):
    """Draw image requests of one size each."""
    height, width = draw(sizes)
    values = draw(st.lists(grey, min_size=1, max_size=3))
    sent = draw(params)
    return lambda: images(*[image(height, width, value) for value in values], params=sent)


@st.composite
def multimodal_requests(draw):
    """Draw requests with images, texts or both."""
    height, width = draw(sizes)
    count = draw(st.integers(1, 3))
    pictures = [image(height, width, draw(grey)) for _ in range(count)]
    words = [draw(st.text(max_size=4)) for _ in range(count)]
    kind = draw(st.sampled_from(["image", "text", "both"]))
    return lambda: multimodal(
        None if kind == "text" else pictures, None if kind == "image" else words
    )


def requests_of(model_type):
    """Return the strategy for requests of a model type."""
    kind = MODEL_TYPES[model_type]
    if len(kind.inputs) > 1:
        return multimodal_requests()
    return image_requests() if kind.has_image_input else text_requests()


@lru_cache(maxsize=None)
def opened(model_type):
    """Load the model of a type once."""
    folder = tempfile.mkdtemp()
    return Opened(write_repository(Path(folder), model_type, params=PARAMS))


def same(one, other):
    """Say whether two responses are equal."""
    if one.error is not None or other.error is not None:
        return str(one.error) == str(other.error)
    return one.tensors.keys() == other.tensors.keys() and all(
        np.array_equal(one.tensors[name], other.tensors[name]) for name in one.tensors
    )


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_merged_answers_are_the_answers_one_by_one(data):
    """Grouping, splitting, padding and isolation change no answer."""
    model_type = data.draw(st.sampled_from(sorted(MODEL_TYPES)))
    makers = data.draw(st.lists(requests_of(model_type), min_size=1, max_size=8))
    model = opened(model_type)
    merged = model.ask(*[make() for make in makers])
    alone = [model.ask(make())[0] for make in makers]
    assert len(merged) == len(alone)
    assert all(same(one, other) for one, other in zip(merged, alone))
