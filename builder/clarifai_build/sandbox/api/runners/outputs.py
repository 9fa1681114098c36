"""Asks a runner version through its process, as the platform does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from clarifai_build.sandbox.api.database import now
from clarifai_build.sandbox.api.errors import ApiError, Code
from clarifai_build.sandbox.api.runners.items import STREAMED, UNARY
from clarifai_build.sandbox.api.runners.serving import Runners


def answer_once(runners: Runners, model: resources_pb2.Model, request: Any) -> Any:
    """Return the one answer to a request."""
    answers = runners.ask(model.model_version.id, _prepared(model, request), UNARY)
    answer = next(answers, None)
    if answer is None:
        raise ApiError(Code.MODEL_PREDICTION_FAILED, "the runner ended its stream with no answer")
    return _completed(answer, model, request)


def answer_in_parts(runners: Runners, model: resources_pb2.Model, request: Any) -> Iterator[Any]:
    """Yield the answers to a request as they come."""
    for answer in runners.ask(model.model_version.id, _prepared(model, request), STREAMED):
        yield _completed(answer, model, request)


def _prepared(model: resources_pb2.Model, request: Any) -> Any:
    prepared = service_pb2.PostModelOutputsRequest()
    prepared.CopyFrom(request)
    prepared.version_id = model.model_version.id
    return prepared


def _completed(answer: Any, model: resources_pb2.Model, request: Any) -> Any:
    """Fill in what the platform adds to each output of a runner."""
    for number, output in enumerate(answer.outputs):
        output.id = output.id or uuid.uuid4().hex
        output.created_at.CopyFrom(now())
        if not output.HasField("model"):
            output.model.CopyFrom(model)
        if number < len(request.inputs):
            output.input.id = output.input.id or request.inputs[number].id or uuid.uuid4().hex
    return answer
