"""Runner models behind the official servicer, asked as today's clients ask and as older ones do."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from clarifai.runners.utils.data_types import Image
from clarifai_grpc.grpc.api.status import status_code_pb2 as codes
from google.protobuf.json_format import MessageToDict
from PIL import Image as PILImage

from runtime.runner.model_files import SIGNATURES, write_runner
from runtime.runner.sdk.serving import grey, picture, png, serving, words

LIMIT = {"name": "limit", "type": "number", "default": 2, "min_value": 0, "max_value": 5}
MODE = {"name": "mode", "type": "string", "default": "plain", "choices": ["plain", "loud"]}
HOME = {"name": "HOME", "type": "string", "default": "nowhere"}
SECRET = {"name": "token", "type": "secret"}

ECHO = """
from clarifai_runtime import InvalidInputError, TextOutput, get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data, **params):
        if "bad" in input_data:
            raise InvalidInputError("a bad text")
        if "broken" in input_data:
            open("/no/such/folder/weights.bin")
        shown = " ".join(f"{name}={value!r}" for name, value in sorted(params.items()))
        return [TextOutput(f"{text}|{shown}") for text in input_data]
"""

STREAM = """
from clarifai_runtime import get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data, **params):
        for word in input_data[0].split():
            if word == "bad":
                raise ValueError("a bad word")
            yield word
"""


def asked(served, model_type, kind):
    """Ask a model the same by one kind of client: a picture of grey 2, "a cat", or both."""
    image, text = grey(2), "a cat"
    taken = SIGNATURES[model_type][0]
    if kind == "new":
        given = {"image": Image(bytes=image)} if "image" in taken else {}
        return served.client.predict(**given, **({"text": text} if "text" in taken else {}))
    data = picture(image) if "image" in taken else words(text)
    if "text" in taken:
        data.text.raw = text
    response = served.old(data)
    assert response.status.code == codes.SUCCESS, response.status
    return response.outputs[0].data


def concepts(found):
    """Return concepts as pairs."""
    return [(one.id, one.name, round(one.value, 4)) for one in found]


def masks(found):
    """Return the label of each region with its mask."""
    return [
        (
            region.concepts[0].id if hasattr(region, "concepts") else region.data.concepts[0].id,
            np.asarray(PILImage.open(io.BytesIO(_mask(region)))).tolist(),
        )
        for region in found
    ]


def _mask(region):
    return region.mask.bytes if hasattr(region, "mask") else region.region_info.mask.image.base64


def boxes(found):
    """Return regions as left, top, right, bottom and their one concept."""
    made = []
    for region in found:
        if hasattr(region, "box"):
            box, concept = region.box, region.concepts[0]
        else:
            frame, concept = region.region_info.bounding_box, region.data.concepts[0]
            box = [frame.left_col, frame.top_row, frame.right_col, frame.bottom_row]
        made.append(([round(side, 3) for side in box], concept.id, round(concept.value, 3)))
    return made


def pixels(image):
    """Return the picture that an answer has."""
    content = image.bytes if isinstance(image, Image) else image.image.base64
    return np.asarray(PILImage.open(io.BytesIO(content))).tolist()


def vector(found):
    """Return an embedding: an array for today's clients, `embeddings` for older ones."""
    return (found if isinstance(found, np.ndarray) else found.embeddings[0].vector)[:]


EXPECTED = {
    "visual-detector": (
        lambda data: boxes(getattr(data, "regions", data)),
        [([0.2, 0.1, 0.602, 0.5], "first", 0.5)] * 2,
    ),
    "visual-classifier": (
        lambda data: concepts(getattr(data, "concepts", data)),
        [("second", "second", 0.9922), ("first", "first", 0.0078)],
    ),
    "text-classifier": (
        lambda data: concepts(getattr(data, "concepts", data)),
        [("first", "first", 0.9), ("second", "second", 0.1)],
    ),
    "text-to-text": (lambda data: data if isinstance(data, str) else data.text.raw, "A CAT"),
    "text-embedder": (lambda data: list(vector(data)), [5, 5]),
    "text-to-image": (pixels, np.full((8, 6, 3), 5).tolist()),
    "visual-embedder": (lambda data: list(vector(data)), [2, 2, 2]),
    "visual-segmenter": (
        lambda data: masks(getattr(data, "regions", data)),
        [("first", np.full((4, 5), 255).tolist())],
    ),
    "multimodal-embedder": (lambda data: list(vector(data)), [2, 5]),
}


@pytest.mark.parametrize("kind", ["new", "old"])
@pytest.mark.parametrize("model_type", sorted(SIGNATURES))
def test_every_type_answers_clients_of_both_kinds(tmp_path, model_type, kind):
    """The same answer, each in the fields that a client looks at."""
    read, expected = EXPECTED[model_type]
    with serving(write_runner(tmp_path, model_type)) as served:
        assert read(asked(served, model_type, kind)) == expected


def test_regions_have_the_same_ids_every_time(tmp_path):
    """And no two of them one."""
    with serving(write_runner(tmp_path, "visual-detector")) as served:
        first, again = (asked(served, "visual-detector", "old").regions for _ in range(2))
        assert [one.id for one in first] == [one.id for one in again]
        assert len({one.id for one in first}) == 2
        typed = asked(served, "visual-detector", "new")
        assert [one.id for one in typed] == [one.id for one in first]


def test_either_input_of_a_multimodal_model_is_enough(tmp_path):
    """What is left out is None for the model; with neither there is nothing to answer."""
    with serving(write_runner(tmp_path, "multimodal-embedder")) as served:
        assert list(served.client.predict(text="abc")) == [-1, 3]
        assert list(served.client.predict(image=Image(bytes=grey(7)))) == [7, -1]
        found = served.old(words("abc"), picture(grey(7)), words(""))
        assert [list(one.data.embeddings[0].vector) for one in found.outputs] == [
            [-1, 3],
            [7, -1],
            [-1, 0],
        ]


@pytest.fixture
def echo(tmp_path):
    """Serve a model that says which parameters it got."""
    folder = write_runner(tmp_path, "text-to-text", ECHO, params=[LIMIT, MODE])
    with serving(folder) as served:
        yield served


def test_parameters_reach_the_model_from_both_clients(echo):
    """Defaults fill up; a whole number stays one where the default is one."""
    assert echo.client.predict(text="a") == "a|limit=2 mode='plain'"
    assert echo.client.predict(text="a", limit=4, mode="loud") == "a|limit=4 mode='loud'"
    assert echo.old(words("a")).outputs[0].data.text.raw == "a|limit=2 mode='plain'"
    (output,) = echo.old(words("a"), limit=4, mode="loud").outputs
    assert output.data.text.raw == "a|limit=4 mode='loud'"


def test_parameters_are_enforced(echo):
    """The SDK shows bounds and choices, and holds nobody to them."""
    with pytest.raises(Exception, match=r"limit.* must be at most 5"):
        echo.client.predict(text="a", limit=99)
    with pytest.raises(Exception, match=r"mode.* must be one of .*plain.*, .*loud"):
        echo.client.predict(text="a", mode="odd")
    (output,) = echo.old(words("a"), limit=-1).outputs
    assert output.status.code == codes.INPUT_INVALID_ARGUMENT
    assert "'limit' must be at least 0" in output.status.details
    (output,) = echo.old(words("a"), limit="4").outputs
    assert "'limit' must be a number, but a string was sent" in output.status.details


def test_a_parameter_without_a_default_is_required(tmp_path):
    """Left out, it is the caller's mistake; both clients hear so, and can send it."""
    params = [{"name": "limit", "type": "number"}]
    with serving(write_runner(tmp_path, "text-to-text", ECHO, params=params)) as served:
        with pytest.raises(Exception, match=r"limit.* is required"):
            served.client.predict(text="a")
        assert served.client.predict(text="a", limit=0) == "a|limit=0.0"
        (output,) = served.old(words("a")).outputs
        assert output.status.details == "inference parameter 'limit' is required"
        assert served.old(words("a"), limit=0).outputs[0].data.text.raw == "a|limit=0.0"


def test_the_environment_is_no_parameter(tmp_path, monkeypatch):
    """The servicer lays all variables over what was sent; only a secret may come from there."""
    monkeypatch.setenv("token", "hidden")
    folder = write_runner(tmp_path, "text-to-text", ECHO, params=[HOME, SECRET])
    with serving(folder) as served:
        (output,) = served.old(words("a")).outputs
        assert output.data.text.raw == "a|HOME='nowhere' token='hidden'"
        assert served.client.predict(text="a", HOME="b") == "a|HOME='b' token='hidden'"


def test_one_bad_input_hurts_itself_alone(echo):
    """The request is MIXED_STATUS, and each output says what is wrong with it."""
    found = echo.old(words("a"), words("bad"), picture(grey(1)), words("c"))
    assert found.status.code == codes.MIXED_STATUS
    assert found.status.details == "2 of 4 inputs failed: a bad text"
    assert [one.status.code for one in found.outputs] == [
        codes.SUCCESS,
        codes.INPUT_INVALID_ARGUMENT,
        codes.INPUT_INVALID_ARGUMENT,
        codes.SUCCESS,
    ]
    assert [one.input.id for one in found.outputs] == ["0", "1", "2", "3"]
    assert found.outputs[3].data.text.raw == "c|limit=2 mode='plain'"
    assert "has no text" in found.outputs[2].status.details


def test_no_path_and_no_traceback_reaches_a_caller(echo):
    """What the model raised is told, and where in its own file."""
    found = echo.old(words("broken"))
    assert found.status.code == codes.FAILURE
    typed = echo.stub.PostModelOutputs(_new_request(echo, "broken"))
    assert typed.status.code == codes.FAILURE
    for response in (found, typed):
        told = str(MessageToDict(response))
        assert "FileNotFoundError: [Errno 2] No such file or directory: 'weights.bin'" in (
            response.status.details
        )
        assert "(inference.py, line " in told
        assert "Traceback" not in told
        assert "model.py" not in told
        assert os.sep + "no" not in told


def _new_request(served, text):
    """Return a request as today's client makes it, for what it does not show of an answer."""
    from clarifai_grpc.grpc.api import resources_pb2, service_pb2

    data = resources_pb2.Data()
    data.metadata["_method_name"] = "predict"
    data.parts.add(id="text").data.string_value = text
    return service_pb2.PostModelOutputsRequest(inputs=[resources_pb2.Input(data=data)])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no picture", "the image can't be read: it is none of"),
        (b"", "the image has no content"),
        (grey(1)[:40], "the image can't be read"),
        (png(np.zeros((5001, 5000), np.uint8)), "the image is too large: 5000 x 5001 pixels"),
    ],
    ids=["text", "empty", "cut", "large"],
)
def test_a_bad_picture_is_refused(tmp_path, content, reason):
    """By both ways in, each with its reason; the next picture is answered."""
    with serving(write_runner(tmp_path, "visual-embedder")) as served:
        found = served.old(picture(content), picture(grey(4)))
        assert reason in found.outputs[0].status.details
        assert list(found.outputs[1].data.embeddings[0].vector) == [4, 4, 4]
        with pytest.raises(Exception, match=reason.replace("'", ".*")):
            served.client.predict(image=Image(bytes=content))


def test_pictures_have_the_size_that_the_model_declares(tmp_path):
    """As the platform resizes them for a model in Triton."""
    folder = write_runner(tmp_path, "visual-segmenter", image_shape=[2, -1])
    with serving(folder) as served:
        (region,) = served.client.predict(image=Image(bytes=grey(9, 4, 5)))
        assert np.asarray(region.mask.to_pil()).shape == (2, 5)


def test_a_streaming_model_answers_in_pieces(tmp_path):
    """`generate` yields them; `predict` and older clients get the whole."""
    with serving(write_runner(tmp_path, "text-to-text", STREAM, streaming=True)) as served:
        assert list(served.client.generate(text="one two three")) == ["one", "two", "three"]
        assert served.client.predict(text="one two") == "onetwo"
        assert served.old(words("a b"), words("c")).outputs[1].data.text.raw == "c"
        pieces = served.client.generate(text="one bad two")
        assert next(pieces) == "one"
        with pytest.raises(Exception, match="a bad word") as caught:
            next(pieces)
        assert "Traceback" not in str(caught.value)


def test_callers_at_once_get_their_own_answers(tmp_path):
    """Merged or not: 16 threads of both kinds, with parameters of two kinds."""
    folder = write_runner(tmp_path, "text-to-text", ECHO, params=[LIMIT])
    with serving(folder) as served, ThreadPoolExecutor(16) as callers:

        def ask(number):
            text, limit = f"text {number}", number % 3
            if number % 2:
                return served.client.predict(text=text, limit=limit)
            return served.old(words(text), limit=limit).outputs[0].data.text.raw

        found = list(callers.map(ask, range(64)))
        assert found == [f"text {number}|limit={number % 3}" for number in range(64)]
