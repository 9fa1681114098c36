"""One request to a version, as the protocol's inputs, and what the platform says when it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from google.protobuf.struct_pb2 import Struct

from clarifai_build.errors import RegistryError
from clarifai_build.registry import (
    DeadlineError,
    NotDeployedError,
    NotServedYetError,
    PredictionFailedError,
    PredictionInput,
)
from clarifai_build.registry.channel import Channel
from clarifai_build.registry.status_codes import (
    FAILURE,
    MIXED_STATUS,
    MODEL_PREDICTION_FAILED,
    NOT_DEPLOYED,
    NOT_DEPLOYED_YET,
    SUCCESS,
)

_JUDGED_HERE = (FAILURE, MIXED_STATUS, MODEL_PREDICTION_FAILED, *NOT_DEPLOYED_YET)


def ask(
    channel: Channel,
    model_id: str,
    version_id: str,
    inputs: Sequence[PredictionInput],
    params: Mapping[str, bool | float | str],
    timeout: float,
) -> None:
    """Ask a version once; see `ModelRegistry.ask`, whose errors it raises."""
    request = service_pb2.PostModelOutputsRequest(
        user_app_id=channel.user_app_id,
        model_id=model_id,
        version_id=version_id,
        inputs=[_input(one) for one in inputs],
        model=_with_params(params) if params else None,
    )
    try:
        answer = channel.call(
            "PostModelOutputs",
            request,
            allowed=_JUDGED_HERE,
            repeatable=False,
            timeout=timeout,
        )
    except DeadlineError as error:
        raise _failed(f"no answer within {timeout:.0f} s") from error
    # An output says more than the whole, which only counts them.
    for status in (*(output.status for output in answer.outputs), answer.status):
        if status.code != SUCCESS:
            raise _error(version_id, status)
    if len(answer.outputs) != len(inputs):
        raise _failed(f"{len(answer.outputs)} answers to {len(inputs)} inputs")


def _input(given: PredictionInput) -> resources_pb2.Input:
    data = resources_pb2.Data()
    if given.text is not None:
        data.text.raw = given.text
    if given.image is not None:
        data.image.base64 = given.image
    return resources_pb2.Input(data=data)


def _with_params(params: Mapping[str, bool | float | str]) -> resources_pb2.Model:
    values = Struct()
    values.update(dict(params))
    version = resources_pb2.ModelVersion(output_info=resources_pb2.OutputInfo(params=values))
    return resources_pb2.Model(model_version=version)


def _error(version_id: str, status: Any) -> RegistryError:
    said = ": ".join(filter(None, (status.description, status.details)))
    words = said or f"code {status.code}, without a word"
    if status.code == NOT_DEPLOYED:
        return NotDeployedError.of(
            "not-deployed",
            f"version {version_id} is ready, but nothing serves it: {words}",
            hint="deploy it on the platform, then apply again, which asks it",
        )
    if status.code in NOT_DEPLOYED_YET:
        hint = "apply again later, which asks it"
        return NotServedYetError.of("not-served-yet", words, hint=hint)
    return _failed(words)


def _failed(words: str) -> RegistryError:
    return PredictionFailedError.of("prediction-failed", words)
