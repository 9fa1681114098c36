"""Predictions through the field maps of every model type."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from clarifai_grpc.grpc.api import resources_pb2
from PIL import Image

from support.sandbox_client import Api, image, model_files, s3, text


def png(height: int = 4, width: int = 6, value: int = 2, mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    pixels = np.full((height, width, 3), value, np.uint8)
    Image.fromarray(pixels).convert(mode).save(buffer, format="PNG")
    return buffer.getvalue()


def only(answer: Any) -> Any:
    assert answer.status.code == 10000, answer.status
    (output,) = answer.outputs
    return output.data


def test_visual_detector(api: Api) -> None:
    """Boxes, labels and scores come together as regions; none at all is an answer."""
    model_id, _ = api.deploy("visual-detector")
    regions = only(api.predict(model_id, image(png(value=2)))).regions
    box = regions[0].region_info.bounding_box
    assert len(regions) == 2
    assert (box.top_row, box.left_col) == pytest.approx((0.1, 0.2))
    assert (box.bottom_row, box.right_col) == pytest.approx((0.3, 0.4))
    assert [concept.name for concept in regions[0].data.concepts] == ["dog"]
    assert regions[0].data.concepts[0].value == pytest.approx(0.9)
    assert not only(api.predict(model_id, image(png(value=0)))).regions


@pytest.mark.parametrize(
    ("model_type", "data"),
    [("visual-classifier", image(png(value=51))), ("text-classifier", text("ab"))],
)
def test_classifiers(api: Api, model_type: str, data: Any) -> None:
    """Concepts carry the names of labels.txt, the likeliest first."""
    model_id, _ = api.deploy(model_type)
    concepts = only(api.predict(model_id, data)).concepts
    assert concepts[0].id == concepts[0].name == "owl"
    assert [concept.value for concept in concepts] == sorted(
        (concept.value for concept in concepts), reverse=True
    )
    assert {concept.name for concept in concepts} == {"cat", "dog", "owl"}


def test_text_to_text(api: Api) -> None:
    """Text arrives and comes back as UTF-8."""
    model_id, _ = api.deploy("text-to-text")
    assert only(api.predict(model_id, text("Grüße 🙂"))).text.raw == "🙂 eßürG"


def test_embedders(api: Api) -> None:
    """A vector says how long it is."""
    model_id, _ = api.deploy("text-embedder")
    embedding = only(api.predict(model_id, text("abcd"))).embeddings[0]
    assert list(embedding.vector) == [4, 2, 3]
    assert embedding.num_dimensions == 3


def test_text_to_image(api: Api) -> None:
    """An image comes back as a PNG."""
    model_id, _ = api.deploy("text-to-image")
    answer = only(api.predict(model_id, text("abc"))).image
    with Image.open(io.BytesIO(answer.base64)) as picture:
        assert (picture.format, picture.size, picture.getpixel((0, 0))) == ("PNG", (6, 3), (7,) * 3)
    assert (answer.image_info.height, answer.image_info.width) == (3, 6)


def test_visual_segmenter(api: Api) -> None:
    """Each label that occurs has a mask of the picture's size and a concept."""
    model_id, _ = api.deploy("visual-segmenter")
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:2] = 200
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    regions = only(api.predict(model_id, image(buffer.getvalue()))).regions
    assert [region.data.concepts[0].name for region in regions] == ["cat", "dog"]
    with Image.open(io.BytesIO(regions[1].region_info.mask.image.base64)) as mask:
        assert np.array_equal(np.asarray(mask) == 255, pixels[..., 0] == 200)


def test_multimodal_embedder(api: Api) -> None:
    """Either input may be missing, but not both."""
    model_id, _ = api.deploy("multimodal-embedder")
    both = image(png())
    both.text.raw = "x"
    answer = api.predict(model_id, image(png()), text("x"), both, resources_pb2.Data())
    assert answer.status.code == 10010
    vectors = [list(output.data.embeddings[0].vector) for output in answer.outputs[:3]]
    assert vectors == [[1, 0], [0, 1], [1, 1]]
    assert "none of image and text" in answer.outputs[3].status.details


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "CMYK"])
def test_pictures_of_any_kind_become_rgb(api: Api, visual_embedder: str, mode: str) -> None:
    """Whatever a picture's mode is, the model sees height x width x 3."""
    buffer = io.BytesIO()
    Image.new(mode, (6, 4)).save(buffer, format="TIFF")
    vector = only(api.predict(visual_embedder, image(buffer.getvalue()))).embeddings[0].vector
    assert list(vector) == [4, 6, 3]


def test_an_image_by_url(api: Api, visual_embedder: str) -> None:
    """A picture may be named by its URL."""
    s3(api.endpoints).put_object(Bucket="public", Key="picture.png", Body=png())
    url = f"{api.endpoints.s3_endpoint}/public/picture.png"
    data = resources_pb2.Data(image=resources_pb2.Image(url=url))
    assert list(only(api.predict(visual_embedder, data)).embeddings[0].vector) == [4, 6, 3]


def test_an_image_that_can_not_be_had(api: Api, visual_embedder: str) -> None:
    """A URL that fails, and bytes that are no picture, say so for their input alone."""
    missing = resources_pb2.Image(url=f"{api.endpoints.s3_endpoint}/public/none.png")
    file = resources_pb2.Image(url="file:///etc/passwd")
    data = [resources_pb2.Data(image=each) for each in (missing, file)]
    answer = api.predict(visual_embedder, *data, image(b"no picture"), image(png()))
    details = [output.status.details for output in answer.outputs]
    assert answer.status.code == 10010
    assert "404" in details[0]
    assert "only http and https" in details[1]
    assert "can't be read" in details[2]
    assert answer.outputs[3].status.code == 10000


def test_fixed_shapes_are_honoured(api: Api) -> None:
    """A model with a fixed height and width gets pictures of that size."""
    files = model_files("visual-embedder", dims="8, 9, 3")
    model_id, _ = api.deploy("visual-embedder", files)
    assert list(only(api.predict(model_id, image(png()))).embeddings[0].vector) == [8, 9, 3]


def test_parameters_arrive_with_their_types(api: Api, reverser: str) -> None:
    """Strings that look like numbers stay strings; numbers are doubles."""
    model = resources_pb2.Model()
    given = {"a": "00123", "b": 2, "c": True, "d": 0.5, "e": None}
    model.model_version.output_info.params.update(given)
    answer = only(api.predict(reverser, text("parameters"), model=model)).text.raw[::-1]
    assert answer == '{"a": "00123", "b": 2.0, "c": true, "d": 0.5}'


def test_parameters_that_are_no_scalars(api: Api, reverser: str) -> None:
    """Lists and objects are refused, by name."""
    model = resources_pb2.Model()
    model.model_version.output_info.params.update({"words": ["a"]})
    answer = api.predict(reverser, text("x"), model=model)
    assert (answer.status.code, "'words'" in answer.status.details) == (21202, True)


def test_many_inputs_keep_their_order(api: Api, reverser: str) -> None:
    """128 inputs are answered, each in its place; 129 and none are refused."""
    words = [f"word {number}" for number in range(129)]
    answer = api.predict(reverser, *map(text, words[:128]))
    assert [output.data.text.raw[::-1] for output in answer.outputs] == words[:128]
    assert "129" in api.predict(reverser, *map(text, words)).status.details
    assert api.predict(reverser).status.code != 10000


def test_a_model_that_raises(api: Api, reverser: str) -> None:
    """What the model raised is in the details of the output."""
    answer = api.predict(reverser, text("raise"))
    assert answer.status.code == 10020
    assert answer.outputs[0].status.code == 21313
    assert "no such word" in answer.outputs[0].status.details


def test_a_model_that_dies(api: Api, reverser: str) -> None:
    """After a crash the next request finds the model up again."""
    assert api.predict(reverser, text("die")).status.code == 10020
    assert only(api.predict(reverser, text("abc"))).text.raw == "cba"


def test_output_config(api: Api) -> None:
    """Concepts are limited as the request asks."""
    model_id, _ = api.deploy("text-classifier")
    model = resources_pb2.Model()
    model.model_version.output_info.output_config.max_concepts = 1
    concepts = only(api.predict(model_id, text("ab"), model=model)).concepts
    assert [concept.name for concept in concepts] == ["owl"]


def test_label_out_of_range(api: Api) -> None:
    """A model that answers labels which labels.txt does not have is told so."""
    files = model_files("visual-detector") | {"labels.txt": "only\n"}
    model_id, _ = api.deploy("visual-detector", files)
    answer = api.predict(model_id, image(png()))
    assert "labels.txt has 1 labels" in answer.outputs[0].status.details


@pytest.fixture(scope="module")
def reverser(api: Api) -> str:
    """A text-to-text model that turns words around."""
    return api.deploy("text-to-text")[0]


@pytest.fixture(scope="module")
def visual_embedder(api: Api) -> str:
    """A model that answers the shape of the picture it sees."""
    return api.deploy("visual-embedder")[0]
