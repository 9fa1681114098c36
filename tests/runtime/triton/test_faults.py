"""The faults of the system this one replaces, one test each, on a real Triton server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from clarifai_build.errors import SandboxError
from clarifai_runtime.model_types import MODEL_TYPES
from runtime.portable.repositories import seed_style
from runtime.triton_models import images, status, texts


def grey(height, width, value=0):
    """Make an image of one grey."""
    return np.full((height, width, 3), value, np.uint8)


@pytest.mark.parametrize("model_type", sorted(MODEL_TYPES))
def test_seed_style_code_serves_every_type(load, model_type):
    """Code written for clarifai 9.x answers, and is given the declared dtypes and shapes."""
    model = load(model_type)
    kind = MODEL_TYPES[model_type]
    tensors = images(grey(4, 6, 1), grey(4, 6, 2)) if kind.has_image_input else texts("a", "b")
    reply = model.ask(tensors)
    assert status(reply) == "ok", reply
    dtypes = {"STRING": "object", "FP32": "float32", "INT32": "int32", "INT64": "int64"}
    for tensor in kind.outputs:
        assert str(reply[tensor.name].dtype) == dtypes.get(tensor.dtype, "uint8")
        assert reply[tensor.name].ndim == len(tensor.dims) + 1
        assert len(reply[tensor.name]) == 2


def test_there_is_no_clarifai_package(load):
    """What those models import is the runtime's: the environment has no SDK."""
    body = "[config.inference.return_type(','.join(INSTALLED)) for _ in input_data]"
    source = seed_style("text-to-text", body) + (
        "\nfrom importlib.metadata import distributions\n"
        "INSTALLED = [found.metadata['Name'].lower() for found in distributions()]\n"
    )
    model = load("text-to-text", source)
    installed = model.ask(texts("a"))["text"].item().decode().split(",")
    assert "numpy" in installed
    assert not [name for name in installed if name.startswith("clarifai")]


def test_01_multimodal_rows_are_items(load):
    """Two rows with both inputs are two items."""
    model = load("multimodal-embedder")
    both = model.ask({**images(grey(2, 2, 10), grey(2, 2, 20)), **texts("a", "bb")})
    assert both["embeddings"].tolist() == [[10, 1], [20, 2]]
    assert model.ask(texts("ccc"))["embeddings"].tolist() == [[-1, 3]]
    assert model.ask(images(grey(2, 2, 5)))["embeddings"].tolist() == [[5, -1]]


def test_02_ragged_batches_are_answered(load):
    """Images of different sizes and different numbers of detections share a batch."""
    model = load("visual-detector")
    sizes = [(4, 6), (8, 8), (3, 9), (4, 6)]
    requests = [images(grey(*size, value)) for value, size in enumerate(sizes)]
    replies = model.ask_together(*requests)
    assert [reply["predicted_bboxes"].shape for reply in replies] == [
        (1, count, 4) for count in range(4)
    ]
    padded = model.ask(images(grey(4, 6, 1), grey(4, 6, 3)))
    assert padded["predicted_scores"][..., 0].tolist() == [[0.5, 0, 0], [0.5, 0.5, 0.5]]


def test_03_nothing_found_keeps_the_batch_and_the_count_is_checked(load):
    """No detection answers (N, 0, 4); fewer outputs than inputs are an error."""
    model = load("visual-detector")
    reply = model.ask(images(grey(4, 6), grey(4, 6)))
    assert reply["predicted_bboxes"].shape == (2, 0, 4)
    assert reply["predicted_scores"].shape == (2, 0, 1)
    short = load("text-embedder", seed_style("text-embedder", "[]"))
    assert "0 outputs for 1 items" in str(short.ask(texts("a")))


def test_04_text_has_the_shape_of_the_config(load):
    """text-to-text answers (N, 1)."""
    assert load("text-to-text").ask(texts("a", "ü"))["text"].tolist() == [[b"A"], ["Ü".encode()]]


@pytest.mark.parametrize("raised", ["ValueError('no')", "SystemExit(1)", "MemoryError()"])
def test_05_one_bad_request_among_sixteen_hurts_only_itself(load, raised):
    """Exceptions, bad UTF-8 and bad parameters fail their own request."""
    body = f"""[
            config.inference.return_type(text) if text != "bad" else (_ for _ in ()).throw({raised})
            for text in input_data
        ]"""
    model = load("text-to-text", seed_style("text-to-text", body))
    requests = [texts(f"text {number}") for number in range(16)]
    requests[3] = texts("bad")
    requests[7] = texts(b"\xff\xfe")
    requests[11] = (texts("a"), {"unknown": 1})
    replies = model.ask_together(*requests)
    guilty = "StatusCode.UNAVAILABLE" if "Memory" in raised else "StatusCode.INTERNAL"
    wanted = ["ok"] * 16
    wanted[3], wanted[7], wanted[11] = guilty, *["StatusCode.INVALID_ARGUMENT"] * 2
    assert [status(reply) for reply in replies] == wanted
    assert "inference.py, line" in str(replies[3])


def test_06_requests_of_one_batch_are_one_call(load):
    """Requests that wait together are answered by one call of the model."""
    body = "[config.inference.return_type(str(len(input_data))) for _ in input_data]"
    model = load("text-to-text", seed_style("text-to-text", body))
    sizes = [int(reply["text"].item()) for reply in model.ask_together(*[texts("a")] * 16)]
    assert max(sizes) > 8


@pytest.mark.parametrize("text", ["00123", "1_000", "nan", "true"])
def test_07_numeric_looking_strings_stay_strings(load, text):
    """Types hold as declared."""
    body = '[config.inference.return_type(repr(kwargs["p"])) for _ in input_data]'
    declared = [{"name": "p", "type": "string", "default": ""}]
    model = load("text-to-text", seed_style("text-to-text", body), params=declared)
    assert model.ask(texts("a"), {"p": text})["text"].item().decode() == repr(text)


def test_08_defaults_are_filled_in_and_unknown_names_refused(load):
    """A whole double becomes an int where the default is one; what is not declared is refused."""
    body = "[config.inference.return_type(repr(sorted(kwargs.items()))) for _ in input_data]"
    declared = [
        {"name": "flag", "type": "boolean", "default": False},
        {"name": "top_k", "type": "number", "default": 5},
    ]
    model = load("text-to-text", seed_style("text-to-text", body), params=declared)

    def answer(**parameters):
        return model.ask(texts("a"), parameters)["text"].item().decode()

    assert answer() == "[('flag', False), ('top_k', 5)]"
    assert answer(top_k=3.0, flag=True) == "[('flag', True), ('top_k', 3)]"
    assert "unknown inference parameter 'input_data'" in str(
        model.ask(texts("a"), {"input_data": 1})
    )


def test_09_bad_declarations_do_not_load(load):
    """A parameter that get_predictions can't take is an error when the model loads."""
    source = seed_style("text-to-text").replace(", **kwargs", "")
    declared = [{"name": "top_k", "type": "number", "default": 5}]
    with pytest.raises(SandboxError, match="does not take the declared parameter top_k"):
        load("text-to-text", source, params=declared)


def test_10_image_shapes_are_each_models_own(load):
    """One model's fixed image shape does not reach another's."""
    first, second = load("visual-embedder"), load("visual-embedder")
    assert status(first.ask(images(grey(4, 6)))) == "ok"
    assert status(second.ask(images(grey(7, 3)))) == "ok"


def test_13_a_package_called_inference_does_not_win(load):
    """The user's inference.py is loaded by its path, whatever else has its name."""
    model = load("text-to-text")
    package = model.folder / "inference"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('the wrong one')")
    model.reload()
    assert status(model.ask(texts("a"))) == "ok"


def test_17_errors_say_what_happened(load):
    """The client sees the exception, its message and the line; the log has the traceback."""
    body = '[{}["missing"] for _ in input_data]'
    model = load("text-to-text", seed_style("text-to-text", body))
    assert "KeyError: 'missing' (inference.py, line" in str(model.ask(texts("a")))


def test_18_labels_are_checked(load):
    """A classifier that gives another number of scores than there are labels is refused."""
    body = "[config.inference.return_type([0.5, 0.2, 0.3]) for _ in input_data]"
    model = load("visual-classifier", seed_style("visual-classifier", body))
    assert "3 scores, but labels.txt has 2 labels" in str(model.ask(images(grey(2, 2))))


@pytest.mark.parametrize(
    ("model_type", "body", "said"),
    [
        (
            "text-embedder",
            "[config.inference.return_type([float('nan')]) for _ in input_data]",
            "NaN",
        ),
        (
            "text-classifier",
            "[config.inference.return_type([0.5, 1.5]) for _ in input_data]",
            "0 and 1",
        ),
        (
            "text-to-image",
            "[config.inference.return_type(np.ones((2, 2, 3)) * 0.5) for _ in input_data]",
            "float64",
        ),
        (
            "visual-detector",
            "[config.inference.return_type([[0.5, 0, 0.1, 1]], [[0]], [[1]]) for _ in input_data]",
            "ends before it begins",
        ),
    ],
)
def test_20_values_are_checked(load, model_type, body, said):
    """NaN, ranges, float images and inverted boxes are refused, naming the item and the rule."""
    model = load(model_type, seed_style(model_type, body))
    image = MODEL_TYPES[model_type].has_image_input
    reply = str(model.ask(images(grey(2, 2)) if image else texts("a")))
    assert said in reply
    assert "item 0" in reply


def test_non_ascii_output_and_files(load):
    """The stub starts in ASCII; user code may print and read any text all the same."""
    body = "[config.inference.return_type(read(text)) for text in input_data]"
    source = seed_style("text-to-text", body) + (
        "\ndef read(name):\n"
        "    print('reading', name)\n"
        "    return open(os.path.join(os.path.dirname(__file__), 'words.txt')).read()\n"
    )
    model = load("text-to-text", source)
    (model.folder / "words.txt").write_text("Grüße", encoding="utf-8")
    assert model.ask(texts("你好"))["text"].item().decode() == "Grüße"


WAITING = """
import time


def first_or_told(text):
    folder = os.path.dirname(__file__)
    if not os.path.exists(folder + "/first"):
        open(folder + "/first", "w").close()
        time.sleep(0.2)
        return "first"
    for _ in range(500):
        if os.path.exists(folder + "/told"):
            return "told"
        time.sleep(0.02)
    return "never told"
"""


def test_a_finished_group_does_not_wait_for_the_others(load):
    """Of two groups in one batch, the first has its answer while the second is being called."""
    body = "[config.inference.return_type(first_or_told(text)) for text in input_data]"
    declared = [{"name": "k", "type": "number", "default": 1}]
    source = seed_style("text-to-text", body) + WAITING
    model = load("text-to-text", source, params=declared, queue_delay=300_000)

    def ask(k):
        answer = model.ask(texts("a"), {"k": k})["text"].item().decode()
        (model.folder / "told").touch()
        return answer

    with ThreadPoolExecutor(max_workers=2) as senders:
        assert sorted(senders.map(ask, (1, 2))) == ["first", "told"]


STREAMING = seed_style("text-to-text").replace(
    "return [", "for word in input_data[0].split(): yield word\n        return; ["
)


def test_tokens_are_streamed(load):
    """A decoupled model sends each piece as it comes, and its error at the end."""
    model = load("text-to-text", STREAMING, streaming=True, max_batch_size=1)
    pieces = [reply["text"].item().decode() for reply in model.stream(texts("one two Grüße"))]
    assert pieces == ["one", "two", "Grüße"]


def test_unary_calls_of_a_streaming_model_are_refused(load):
    """Triton refuses them: `streaming` says so in the documentation."""
    model = load("text-to-text", STREAMING, streaming=True, max_batch_size=1)
    assert "decoupled" in str(model.ask(texts("one")))
