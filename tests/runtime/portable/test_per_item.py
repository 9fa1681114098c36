"""Models that take one item and return one output, as clarifai 9.7 to 9.10 called them."""

from __future__ import annotations

import numpy as np
import pytest

from clarifai_runtime import MODEL_TYPES
from runtime.portable.exchanges import Opened, errors, image, images, multimodal, texts
from runtime.portable.repositories import BODIES, seed_style, write_repository

COUNTING = """
from clarifai.models.model_serving.models.model_types import text_to_text
from clarifai.models.model_serving.models.output import TextOutput


class InferenceModel:
    @text_to_text
    def get_predictions(self, input_data, **kwargs):
        with open(__file__ + ".calls", "a") as log:
            log.write(input_data + "\\n")
        if input_data == "bad":
            raise ValueError("bad word")
        return TextOutput(input_data.upper() + kwargs.get("end", ""))
"""

END = {"name": "end", "type": "string", "default": ""}


def item_style(model_type):
    """Return the code of `seed_style` for one item."""
    of = f"    def of(self, input_data):\n        return {BODIES[model_type]}"
    return seed_style(model_type, "self.of([input_data])[0]\n\n" + of)


@pytest.fixture
def counted(tmp_path):
    """Open a text model that takes one item; return it, and what reads the items of its calls."""
    folder = write_repository(tmp_path, "text-to-text", COUNTING, per_item=True, params=[END])
    log = folder / "inference.py.calls"
    return Opened(folder), lambda: log.read_text().split()


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_every_type_answers_as_with_a_list(tmp_path, model_type):
    """Rows of one request and several requests get what a list of them would get."""
    listed = write_repository(tmp_path, model_type, name="listed")
    source = item_style(model_type)
    single = write_repository(tmp_path, model_type, source, name="single", per_item=True)
    if model_type == "multimodal-embedder":
        requests = [multimodal([image(2, 2, 9)], None), multimodal(None, ["a", "bc"])]
    elif MODEL_TYPES[model_type].has_image_input:
        requests = [images(image(2, 3, 1), image(2, 3, 2)), images(image(4, 4, 201))]
    else:
        requests = [texts("a cat", "dog"), texts("x")]
    expected = Opened(listed).ask(*requests)
    for request in requests:
        request.received, request.sender = [], None
    found = Opened(single).ask(*requests)
    assert errors(found) == [None, None]
    for one, other in zip(found, expected):
        assert one.tensors.keys() == other.tensors.keys()
        for name, array in one.tensors.items():
            np.testing.assert_array_equal(array, other.tensors[name])


def test_a_failing_item_fails_its_request_and_no_item_is_called_again(counted):
    """Each request is called by itself, so there is nothing to find out by calling twice."""
    opened, calls = counted
    found = opened.ask(texts("a", "b"), texts("c", "bad"), texts("d"))
    assert errors(found) == [None, "INTERNAL", None]
    assert "ValueError: bad word (inference.py, line 12)" in str(found[1].error)
    assert calls() == ["a", "b", "c", "bad", "d"]


def test_parameters_reach_each_call(counted):
    """By name, as with a list."""
    opened, _ = counted
    (found,) = opened.ask(texts("a", "b", params={"end": "!"}))
    assert found.tensors["text"].tolist() == [[b"A!"], [b"B!"]]


def test_a_list_model_is_told_apart(tmp_path):
    """Code for a list that is called with an item fails by name."""
    folder = write_repository(
        tmp_path,
        "text-to-text",
        seed_style("text-to-text", "[config.inference.return_type('x')]"),
        per_item=True,
    )
    (found,) = Opened(folder).ask(texts("a"))
    assert "item 0 of the prediction is a list, not a TextOutput" in str(found.error)


def test_an_item_model_that_is_called_with_a_list_names_the_setting(tmp_path):
    """The error says what the manifest lacks."""
    folder = write_repository(
        tmp_path, "text-to-text", seed_style("text-to-text", "config.inference.return_type('x')")
    )
    (found,) = Opened(folder).ask(texts("a"))
    assert "returned a TextOutput, not a list" in str(found.error)
    assert "code.per_item" in str(found.error)


@pytest.mark.parametrize("made", ["np.array({}, dtype=object)", "np.array([{}], dtype=object)"])
@pytest.mark.parametrize("text", ["'grün'", "'grün'.encode()", "np.str_('grün')"])
def test_texts_of_old_sdks_are_arrays(tmp_path, made, text):
    """9.7 and 9.8 wanted one dimension, 9.9 and 9.10 none."""
    body = f"config.inference.return_type({made.format(text)})"
    source = seed_style("text-to-text", body)
    folder = write_repository(tmp_path, "text-to-text", source, per_item=True)
    (found,) = Opened(folder).ask(texts("a"))
    assert errors([found]) == [None]
    assert found.tensors["text"].tolist() == [["grün".encode()]]


def test_an_array_of_two_texts_is_refused(tmp_path):
    """A text-to-text model gives one text an item."""
    source = seed_style("text-to-text", "config.inference.return_type(np.array(['a', 'b']))")
    folder = write_repository(tmp_path, "text-to-text", source, per_item=True)
    (found,) = Opened(folder).ask(texts("a"))
    assert "predicted_text must be a str, but is a ndarray" in str(found.error)
