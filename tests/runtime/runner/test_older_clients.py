"""Requests of older clients: one call for all inputs, and a status for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode as Code

from clarifai_runtime.errors import ModelLoadError
from clarifai_runtime.runner import open_runner, pictures
from clarifai_runtime.runner.runner import Runner
from runtime.portable.repositories import seed_style, write_repository

RATIO = {"name": "ratio", "type": "number", "default": 0.5, "min_value": 0, "max_value": 1}

SIZES = """
from clarifai_runtime import EmbeddingOutput, InvalidInputError, get_model_config

config = get_model_config("text-embedder")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data, ratio=0.0):
        if "bad" in input_data:
            raise InvalidInputError("a bad text")
        if "broken" in input_data:
            raise OSError("/srv/model/weights.bin is gone, see https://example.com/a/b")
        if "large" in input_data:
            raise MemoryError
        return [EmbeddingOutput([len(text), len(input_data), ratio]) for text in input_data]
"""
"""Answers the length of a text, how many shared its call, and the parameter."""


@pytest.fixture
def sizes(tmp_path: Path) -> Runner:
    """Return a runner of that model."""
    return open_runner(write_repository(tmp_path, "text-embedder", SIZES, params=[RATIO]))


def words(text: str) -> resources_pb2.Data:
    """Return an input with a text."""
    return resources_pb2.Data(text=resources_pb2.Text(raw=text))


def grey(value: int) -> resources_pb2.Data:
    """Return an input with a picture of 2 x 3 pixels of one grey."""
    content = pictures.encode(np.full((2, 3, 3), value, np.uint8))
    return resources_pb2.Data(image=resources_pb2.Image(base64=content))


def asked(*inputs: resources_pb2.Data, **params: Any) -> service_pb2.PostModelOutputsRequest:
    """Return a request."""
    request = service_pb2.PostModelOutputsRequest(
        inputs=[resources_pb2.Input(id=f"input-{n}", data=data) for n, data in enumerate(inputs)]
    )
    request.model.model_version.output_info.params.update(params)
    return request


def vectors(response: Any) -> list[list[float]]:
    """Return the embeddings of a response."""
    return [list(output.data.embeddings[0].vector) for output in response.outputs]


def codes(response: Any) -> list[int]:
    """Return the status of each output."""
    return [output.status.code for output in response.outputs]


def test_all_inputs_are_one_call(sizes: Runner) -> None:
    """And each has its answer, under its own id."""
    response = sizes.post_model_outputs(asked(words("a"), words("bb"), words("ccc")))
    assert vectors(response) == [[1, 3, 0.5], [2, 3, 0.5], [3, 3, 0.5]]
    assert [output.input.id for output in response.outputs] == ["input-0", "input-1", "input-2"]
    assert response.status.code == Code.SUCCESS


def test_inputs_beyond_a_batch_are_a_call_of_their_own(tmp_path: Path) -> None:
    """As in Triton, which no more than a batch reaches."""
    folder = write_repository(tmp_path, "text-embedder", SIZES, max_batch_size=2, params=[RATIO])
    response = open_runner(folder).post_model_outputs(asked(*map(words, "abc")))
    assert [size for _, size, _ in vectors(response)] == [2, 2, 1]


def test_one_bad_input_hurts_itself_alone(sizes: Runner) -> None:
    """Whoever refuses it: what reads it, or the model, whose call is then halved."""
    response = sizes.post_model_outputs(
        asked(words("a"), grey(1), words("bad"), words("bb"), words("large"))
    )
    assert codes(response) == [
        Code.SUCCESS,
        Code.INPUT_INVALID_ARGUMENT,
        Code.INPUT_INVALID_ARGUMENT,
        Code.SUCCESS,
        Code.MODEL_BUSY_PLEASE_RETRY,
    ]
    assert [len(response.outputs[n].data.embeddings) for n in range(5)] == [1, 0, 0, 1, 0]
    assert response.status.code == Code.MIXED_STATUS
    assert response.status.details == (
        "3 of 5 inputs failed: the input has no text, which the model needs"
    )


def test_a_failure_names_no_folder(sizes: Runner) -> None:
    """Of a file its name is told, of the model's code the line; addresses stay whole."""
    response = sizes.post_model_outputs(asked(words("broken")))
    (output,) = response.outputs
    assert output.status.code == Code.MODEL_PREDICTION_FAILED
    assert output.status.details.startswith(
        "OSError: weights.bin is gone, see https://example.com/a/b (inference.py, line "
    )
    assert response.status.code == Code.FAILURE


def test_a_bad_parameter_fails_every_input(sizes: Runner) -> None:
    """It holds for the whole request."""
    response = sizes.post_model_outputs(asked(words("a"), words("b"), ratio=1.5))
    assert codes(response) == [Code.INPUT_INVALID_ARGUMENT] * 2
    assert "'ratio' must be at most 1" in response.status.details


@pytest.mark.parametrize("value", [[1], {"a": 1}], ids=["list", "object"])
def test_a_parameter_that_is_no_scalar_is_refused(sizes: Runner, value: object) -> None:
    """No model type has one."""
    response = sizes.post_model_outputs(asked(words("a"), ratio=value))
    assert "'ratio' must be a string, a number or a boolean" in response.status.details


def test_what_is_not_declared_never_reaches_the_model(sizes: Runner) -> None:
    """The platform lays the environment over what was sent, so that it can't be refused."""
    response = sizes.post_model_outputs(asked(words("a"), PATH="/bin", ratio=0.25))
    assert vectors(response) == [[1, 1, 0.25]]


def test_parameters_of_the_model_and_of_its_version_are_read(sizes: Runner) -> None:
    """Where both have one, the version's holds, as in the API."""
    request = asked(words("a"), ratio=0.25)
    request.model.output_info.params.update({"ratio": 0.75})
    assert vectors(sizes.post_model_outputs(request)) == [[1, 1, 0.25]]
    del request.model.model_version.output_info.params["ratio"]
    assert vectors(sizes.post_model_outputs(request)) == [[1, 1, 0.75]]


def test_null_is_no_value(sizes: Runner) -> None:
    """A parameter that is sent as null has its default."""
    assert vectors(sizes.post_model_outputs(asked(words("a"), ratio=None))) == [[1, 1, 0.5]]


def test_a_request_without_inputs_is_refused(sizes: Runner) -> None:
    """There is nothing to answer."""
    response = sizes.post_model_outputs(asked())
    assert response.status.details == "the request has no inputs"
    assert response.status.code != Code.SUCCESS


CLASSIFIER = "[config.inference.return_type(np.array([0.25, 0.75])) for _ in input_data]"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ["second", "first"]),
        ({"max_concepts": 1}, ["second"]),
        ({"min_value": 0.5}, ["second"]),
        ({"select_concepts": [resources_pb2.Concept(name="first")]}, ["first"]),
    ],
    ids=["all", "most", "least", "named"],
)
def test_concepts_are_those_asked_for(
    tmp_path: Path, config: dict[str, Any], expected: list[str]
) -> None:
    """The best first, and of these what output_config lets through."""
    source = seed_style("text-classifier", CLASSIFIER)
    runner = open_runner(write_repository(tmp_path, "text-classifier", source))
    request = asked(words("a"))
    request.model.output_info.output_config.CopyFrom(resources_pb2.OutputConfig(**config))
    (output,) = runner.post_model_outputs(request).outputs
    assert [concept.id for concept in output.data.concepts] == expected


def test_regions_without_a_wanted_concept_are_left_out(tmp_path: Path) -> None:
    """Detections go by the concept that they have."""
    runner = open_runner(write_repository(tmp_path, "visual-detector"))
    request = asked(grey(2))
    request.model.output_info.output_config.min_value = 0.75
    (output,) = runner.post_model_outputs(request).outputs
    assert (output.status.code, len(output.data.regions)) == (Code.SUCCESS, 0)


def test_a_folder_without_settings_can_not_be_opened(tmp_path: Path) -> None:
    """Nothing else says which type the model is of."""
    folder = write_repository(tmp_path, "text-embedder")
    (folder / "serving.json").unlink()
    with pytest.raises(ModelLoadError, match=r"serving\.json is missing"):
        open_runner(folder)


def test_an_embedding_of_another_length_than_declared_is_refused(tmp_path: Path) -> None:
    """What config.pbtxt says to Triton, the settings say here."""
    folder = write_repository(tmp_path, "text-embedder", embeddings_shape=[3])
    (output,) = open_runner(folder).post_model_outputs(asked(words("a"))).outputs
    assert "embedding_vector has the shape (2,), but the model declares (3,)" in (
        output.status.details
    )
