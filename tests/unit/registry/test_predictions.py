"""One request to a version: what is sent, and how each answer is judged. No network."""

from __future__ import annotations

from typing import Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2

from clarifai_build.errors import RegistryError
from clarifai_build.registry import (
    DeadlineError,
    NotServedYetError,
    PredictionFailedError,
    PredictionInput,
)
from clarifai_build.registry.predictions import ask

TEXT = (PredictionInput(text="Hello"),)


class Answering:
    """A channel that answers each call with one message, and keeps the requests."""

    user_app_id = resources_pb2.UserAppIDSet(user_id="me", app_id="main")

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.requests: list[Any] = []

    def call(self, rpc: str, request: Any, **options: Any) -> Any:
        """Note the request, which must not be repeated."""
        assert (rpc, options["repeatable"]) == ("PostModelOutputs", False)
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def answer(code: int, *outputs: tuple[int, str]) -> Any:
    """Return a platform's answer: its own code, and those of the outputs with their words."""
    return service_pb2.MultiOutputResponse(
        status=status_pb2.Status(code=code, description="whole"),
        outputs=[
            resources_pb2.Output(status=status_pb2.Status(code=each, details=words))
            for each, words in outputs
        ],
    )


def asked(found: Any, *inputs: PredictionInput, **params: bool | float | str) -> Any:
    """Ask for one prediction, and return the request that was sent."""
    channel: Any = Answering(found)
    ask(channel, "m", "v", inputs or TEXT, params, 120.0)
    (request,) = channel.requests
    return request


def test_request_has_inputs_and_parameters() -> None:
    """As the official clients send them: base64 bytes, raw text, parameters as a Struct."""
    both = PredictionInput("a cat", b"\x89PNG")
    request = asked(answer(10000, (10000, "")), both, threshold=0.5, loud=True, name="x")
    assert (request.model_id, request.version_id, request.user_app_id.app_id) == ("m", "v", "main")
    (given,) = request.inputs
    assert (given.data.text.raw, given.data.image.base64) == ("a cat", b"\x89PNG")
    params = request.model.model_version.output_info.params
    assert dict(params) == {"threshold": 0.5, "loud": True, "name": "x"}


def test_without_parameters_none_are_sent() -> None:
    """The defaults are the model's."""
    assert not asked(answer(10000, (10000, ""))).HasField("model")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (answer(10020, (21313, "ValueError: no vocabulary")), "ValueError: no vocabulary"),
        (answer(10010, (10000, ""), (21313, "second")), "second"),
        (answer(10020), "whole"),
        (answer(10000), "0 answers to 1 inputs"),
        (answer(10000, (0, "")), "code 0, without a word"),
    ],
)
def test_what_is_no_answer_fails_in_its_own_words(found: Any, words: str) -> None:
    """An output's words say more than the whole, which only counts."""
    with pytest.raises(PredictionFailedError) as raised:
        asked(found)
    assert raised.value.problems[0].message == words


def test_no_answer_in_time_is_a_failure_of_the_model() -> None:
    """It hangs."""
    with pytest.raises(PredictionFailedError, match="no answer within 120 s"):
        asked(DeadlineError.of("api-unreachable", "late"))


@pytest.mark.parametrize("code", [21351, 21352, 21354, 21355])
def test_one_that_is_being_deployed_can_be_asked_later(code: int) -> None:
    """It is loaded, queued or busy."""
    with pytest.raises(NotServedYetError, match="soon"):
        asked(answer(10020, (code, "soon")))


def test_one_that_nothing_serves_can_not_be_asked() -> None:
    """That is neither a failure of the model nor passes by itself."""
    with pytest.raises(RegistryError, match="nothing serves it") as raised:
        asked(answer(21353))
    assert not isinstance(raised.value, (PredictionFailedError, NotServedYetError))
