"""`execute()`: what is called together, and how one bad request hurts only itself."""

from __future__ import annotations

import numpy as np
import pytest

from clarifai_runtime.model_types import MODEL_TYPES
from clarifai_runtime.testing.fake_triton import InferenceRequest
from runtime.portable.exchanges import Opened, errors, image, images, multimodal, raw_texts, texts
from runtime.portable.repositories import BODIES, seed_style, write_repository

COUNTING = """
import numpy as np
from clarifai_runtime import EmbeddingOutput, get_model_config

config = get_model_config("text-embedder")
GOOD = EmbeddingOutput([1.0, 2.0])
NAN = EmbeddingOutput([1.0, float("nan")])


class InferenceModel:
    def __init__(self):
        self.calls = []

    @config.inference.wrap_func
    def get_predictions(self, input_data, **kwargs):
        self.calls.append((list(input_data), kwargs))
        {behaviour}
        return [EmbeddingOutput([len(text), len(self.calls)]) for text in input_data]


class Tensor:
    def __array__(self, *args, **kwargs):
        raise RuntimeError("requires grad")


HELD = EmbeddingOutput([1.0, 2.0])
HELD.embedding_vector = Tensor()
"""


NOTE = """

def note(input_data):
    with open({calls!r}, "a") as file:
        print([item.shape for item in input_data], file=file)
"""
"""Writes down the shapes of the images of each call."""


@pytest.fixture
def counting(tmp_path):
    """Return a maker of repositories whose model counts its calls, and of its calls."""

    def make(behaviour="pass", **settings):
        source = COUNTING.replace("{behaviour}", behaviour)
        opened = Opened(write_repository(tmp_path, "text-embedder", source, **settings))
        model = opened.server.predict.__closure__[1].cell_contents
        return opened, model.calls

    return make


@pytest.mark.parametrize("model_type", sorted(MODEL_TYPES))
def test_every_model_type_is_served(tmp_path, model_type):
    """Code in the seed's style answers requests of several rows, alone and together."""
    opened = Opened(write_repository(tmp_path, model_type))
    if model_type == "multimodal-embedder":
        requests = [
            multimodal(words=["a", "b"]),
            multimodal([image(4, 5)]),
            multimodal([image(4, 5)], ["c"]),
        ]
    elif MODEL_TYPES[model_type].has_image_input:
        requests = [
            images(image(4, 5, 1), image(4, 5, 3)),
            images(image(8, 9)),
            images(image(8, 9, 2)),
        ]
    else:
        requests = [texts("a", "b"), texts("Grüße"), texts("")]
    assert errors(opened.ask(*requests)) == [None] * 3


def test_requests_are_one_call(counting):
    """Fault 6: the requests of one `execute()` are one call of the model."""
    opened, calls = counting()
    opened.ask(texts("a"), texts("bb", "ccc"), texts("dddd"))
    assert [items for items, _ in calls] == [["a", "bb", "ccc", "dddd"]]


def test_requests_with_other_parameters_are_other_calls(counting):
    """Parameters are compared as values: the order of keys does not matter, 1 and 2 do."""
    declared = [{"name": name, "type": "number", "default": 0.5} for name in "xy"]
    opened, calls = counting(params=declared)
    opened.ask(
        texts("a", params={"x": 1, "y": 2}),
        texts("b", params={"x": 2, "y": 2}),
        texts("c", params={"y": 2, "x": 1}),
        texts("d", params={"y": 2.0, "x": 1.0}),
    )
    assert calls == [(["a", "c", "d"], {"x": 1, "y": 2}), (["b"], {"x": 2, "y": 2})]


def test_images_of_other_sizes_are_other_calls(tmp_path):
    """Fault 2: images of different sizes are answered together, each size by a call."""
    calls = tmp_path / "calls"
    body = f"note(input_data) or {BODIES['visual-segmenter']}"
    source = seed_style("visual-segmenter", body) + NOTE.format(calls=str(calls))
    opened = Opened(write_repository(tmp_path, "visual-segmenter", source))
    answers = opened.ask(images(image(2, 3)), images(image(4, 5)), images(image(2, 3, 255)))
    shapes = [answer.tensors["predicted_mask"].shape for answer in answers]
    assert shapes == [(1, 2, 3), (1, 4, 5), (1, 2, 3)]
    assert answers[2].tensors["predicted_mask"].all()
    made = calls.read_text(encoding="utf-8").splitlines()
    assert made == ["[(2, 3, 3), (2, 3, 3)]", "[(4, 5, 3)]"]


@pytest.mark.parametrize("model_type", ["visual-embedder", "multimodal-embedder"])
def test_requests_of_several_images_of_one_size_are_one_call(tmp_path, model_type):
    """However many each request has."""
    body = "[config.inference.return_type([len(input_data)]) for _ in input_data]"
    opened = Opened(write_repository(tmp_path, model_type, seed_style(model_type, body)))
    pictures = [image(2, 3)] * 2
    answers = opened.ask(images(*pictures), images(*pictures[:1]))
    assert [answer.tensors["embeddings"].tolist() for answer in answers] == [[[3], [3]], [[3]]]


def test_a_model_may_take_images_of_all_sizes_in_one_call(tmp_path):
    """`mixed_sizes = True` in the class says that its code can."""
    source = seed_style("visual-embedder").replace(
        "    def __init__", "    mixed_sizes = True\n\n    def __init__"
    )
    body = "config.inference.return_type([len(input_data)]) for _ in input_data"
    source = source[: source.index("return [")] + f"return [{body}]\n"
    opened = Opened(write_repository(tmp_path, "visual-embedder", source))
    answers = opened.ask(images(image(2, 3)), images(image(4, 5)))
    assert [answer.tensors["embeddings"].item() for answer in answers] == [2, 2]


def test_multimodal_rows_are_items(tmp_path):
    """Fault 1: two rows are two items, with None for what was not sent."""
    opened = Opened(write_repository(tmp_path, "multimodal-embedder"))
    pictures = [image(2, 2, 10), image(2, 2, 20)]
    both, only_text, only_image = opened.ask(
        multimodal(pictures, ["a", "bb"]), multimodal(words=["ccc"]), multimodal(pictures[:1])
    )
    assert both.tensors["embeddings"].tolist() == [[10, 1], [20, 2]]
    assert only_text.tensors["embeddings"].tolist() == [[-1, 3]]
    assert only_image.tensors["embeddings"].tolist() == [[10, -1]]


def test_multimodal_rows_must_pair_up(tmp_path):
    """Two images and one text, or nothing at all, is an error of that request."""
    opened = Opened(write_repository(tmp_path, "multimodal-embedder"))
    pair = InferenceRequest(
        {"image": np.zeros((2, 2, 2, 3), np.uint8), "text": np.array([[b"a"]], dtype=object)}
    )
    answers = opened.ask(pair, multimodal(words=["a"]), InferenceRequest({}))
    assert errors(answers) == ["INVALID_ARG", None, "INVALID_ARG"]
    assert "neither an image nor a text" in str(answers[2].error)


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        ("ValueError('bad')", "INTERNAL"),
        ("SystemExit(3)", "INTERNAL"),
        ("KeyboardInterrupt()", "INTERNAL"),
        ("RecursionError()", "INTERNAL"),
        ("MemoryError()", "UNAVAILABLE"),
        ("type('OutOfMemoryError', (RuntimeError,), {})('CUDA')", "UNAVAILABLE"),
    ],
)
def test_one_guilty_request_is_found(counting, raised, code):
    """Fault 5: whatever user code raises fails the guilty request; the others are answered."""
    opened, calls = counting(f"if 'bad' in input_data: raise {raised}")
    requests = [texts("bad" if number == 5 else f"text {number}") for number in range(16)]
    answers = opened.ask(*requests)
    assert errors(answers) == [code if number == 5 else None for number in range(16)]
    assert len(calls) == 9, "halving 16 takes one call and two for each of four levels"


def test_the_error_names_what_was_raised_and_where(counting):
    """The message has the exception and the line of the user's file."""
    opened, _ = counting("raise KeyError('weights')")
    (answer,) = opened.ask(texts("a"))
    assert str(answer.error) == "KeyError: 'weights' (inference.py, line 17)"


def test_without_isolation_a_failure_is_everybodys(counting):
    """`isolate: false` answers the whole call with the error, and does not call again."""
    opened, calls = counting("if 'bad' in input_data: raise ValueError('bad')", isolate=False)
    assert errors(opened.ask(texts("a"), texts("bad"))) == ["INTERNAL", "INTERNAL"]
    assert len(calls) == 1


def test_several_guilty_requests_are_found(counting):
    """Halving finds all of them."""
    opened, _ = counting("if any('bad' in text for text in input_data): raise ValueError")
    answers = opened.ask(*[texts(text) for text in ("bad1", "a", "b", "bad2", "c")])
    assert errors(answers) == ["INTERNAL", None, None, "INTERNAL", None]


def test_bad_utf8_and_empty_requests_fail_alone(counting):
    """Fault 5: what can't be read never reaches the model."""
    opened, calls = counting()
    answers = opened.ask(texts("a"), raw_texts(b"ok", b"\xff"), raw_texts(), texts("b"))
    assert errors(answers) == [None, "INVALID_ARG", "INVALID_ARG", None]
    assert "item 1 is not UTF-8" in str(answers[1].error)
    assert [items for items, _ in calls] == [["a", "b"]]


def test_bad_parameters_fail_alone(counting):
    """Fault 8: an unknown or mistyped parameter is an error of its request."""
    declared = [{"name": "top_k", "type": "number", "default": 5}]
    opened, calls = counting(params=declared)
    answers = opened.ask(
        texts("a"),
        texts("b", params={"top_k": "3"}),
        texts("c", params={"topk": 3}),
        texts("d", params={"top_k": 5.0}),
    )
    assert errors(answers) == [None, "INVALID_ARG", "INVALID_ARG", None]
    assert calls == [(["a", "d"], {"top_k": 5})]


@pytest.mark.parametrize(
    "sent",
    [b'{"top_k": "\xff"}', b'{"top_k": 1%s}' % (b"0" * 400), b'{"top_k": %s' % (b"[" * 100_000)],
)
def test_unreadable_parameters_fail_alone(counting, sent):
    """Whatever reading them raises is an error of their request."""
    opened, calls = counting(params=[{"name": "top_k", "type": "number", "default": 0.5}])

    class Hostile(InferenceRequest):
        def parameters(self):
            return sent.decode()

    bad = Hostile({"text": np.array([[b"bad"]], dtype=object)})
    assert errors(opened.ask(texts("a"), bad, texts("b"))) == [None, "INVALID_ARG", None]
    assert [items for items, _ in calls] == [["a", "b"]]


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("return []", "0 outputs for 1 items"),
        ("return None", "a NoneType, not a list"),
        ("return 'text'", "a str, not a list"),
        ("return {}", "a dict, not a list"),
        ("return [1 if text == 'bad' else GOOD for text in input_data]", "is a int, not a Embed"),
        ("return [NAN if text == 'bad' else GOOD for text in input_data]", "NaN"),
        ("return [HELD if text == 'bad' else GOOD for text in input_data]", "requires grad"),
    ],
)
def test_wrong_returns_fail_alone(counting, returned, said):
    """Faults 3 and 20: a wrong count, type or value is an error of the request it is for."""
    opened, _ = counting(f"if 'bad' in input_data: {returned}")
    answers = opened.ask(texts("a"), texts("bad"), texts("c"))
    assert errors(answers)[0] is None
    assert errors(answers)[2] is None
    assert said in str(answers[1].error)


def test_models_may_yield_or_return_tuples(counting):
    """Any iterable with one output an item will do."""
    opened, _ = counting("return (EmbeddingOutput([1.0]) for _ in input_data)")
    assert errors(opened.ask(texts("a"), texts("b"))) == [None, None]


def test_a_model_that_empties_its_input_can_be_called_again(counting):
    """The list belongs to the call: what the model does to it does not reach the next one."""
    opened, _ = counting(
        "texts = [input_data.pop() for _ in range(len(input_data))]\n"
        "        if 'bad' in texts: raise ValueError\n"
        "        return [EmbeddingOutput([1.0]) for _ in texts]"
    )
    assert errors(opened.ask(texts("a"), texts("bad"))) == [None, "INTERNAL"]


SLOW = "import time; time.sleep(0.12)"


def test_cancelled_requests_are_dropped(counting):
    """After a wait, requests nobody wants any more are answered without a call."""
    opened, calls = counting(SLOW, params=[{"name": "k", "type": "number", "default": 1}])
    text = np.array([[b"gone"]], dtype=object)
    gone = InferenceRequest({"text": text}, '{"k": 2}', cancelled=True)
    answers = opened.ask(texts("a"), gone, texts("b", params={"k": 2}))
    assert errors(answers) == [None, "CANCELLED", None]
    assert [items for items, _ in calls] == [["a"], ["b"]]


def test_a_finished_group_does_not_wait_for_the_others(counting):
    """Answers of a slow group are sent before the next group is called."""
    opened, _ = counting(SLOW, params=[{"name": "k", "type": "number", "default": 1}])
    first, second = texts("a"), texts("b", params={"k": 2})
    returned = opened.server.execute([first, second])
    assert returned[0] is None
    assert first.sender is not None
    assert first.sender.closed
    assert returned[1] is not None
    assert second.sender is None


def test_a_bug_of_the_runtime_leaves_nobody_without_an_answer(counting):
    """Whatever happens, each request gets one response."""
    opened, _ = counting()
    opened.server = opened.server._replace(encoder=None)
    assert errors(opened.ask(texts("a"), texts("b"))) == ["INTERNAL", "INTERNAL"]


def test_get_predictions_without_kwargs_is_fine_without_parameters(tmp_path):
    """Published examples take input_data alone."""
    source = seed_style("text-to-text").replace(", **kwargs", "")
    opened = Opened(write_repository(tmp_path, "text-to-text", source))
    assert errors(opened.ask(texts("a"))) == [None]
