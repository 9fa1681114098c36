"""Handlers of the RPCs that ask a model."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from clarifai_build.errors import SandboxError
from clarifai_build.sandbox.api.builds.loaded_models import Serving
from clarifai_build.sandbox.api.builds.queue import UNFINISHED
from clarifai_build.sandbox.api.compute.clusters import NODEPOOL_ID
from clarifai_build.sandbox.api.compute.deployments import Deployments
from clarifai_build.sandbox.api.database import Database, now
from clarifai_build.sandbox.api.errors import ApiError, Code, status
from clarifai_build.sandbox.api.rpc import inputs, outputs
from clarifai_build.sandbox.api.rpc.fetching import Fetched, Fetching
from clarifai_build.sandbox.api.rpc.memory import Memory
from clarifai_build.sandbox.api.rpc.models import Models
from clarifai_build.sandbox.api.rpc.versions import Versions
from clarifai_build.sandbox.api.runners.declared import is_runner
from clarifai_build.sandbox.api.runners.outputs import answer_in_parts, answer_once
from clarifai_build.sandbox.api.runners.serving import Runners

# Clarifai's limit.
MOST_INPUTS = 128


class Predictions:
    """Asks Triton, where each input is a request of its own that the dynamic batcher merges, or the
    runner's process of a version, which is given the request as it is.
    """

    def __init__(
        self,
        database: Database,
        models: Models,
        versions: Versions,
        serving: Serving,
        runners: Runners,
        deployments: Deployments,
    ) -> None:
        self._database = database
        self._models = models
        self._versions = versions
        self._serving = serving
        self._runners = runners
        self._deployments = deployments
        self._fetching = Fetching()
        self._memory = Memory()

    def post(self, request: Any) -> Any:
        model = self._asked(request)
        if is_runner(model.model_version):
            return answer_once(self._runners, model, request)
        return self._ask_triton(model, request)

    def generate(self, request: Any) -> Iterator[Any]:
        model = self._asked(request)
        if is_runner(model.model_version):
            yield from answer_in_parts(self._runners, model, request)
        else:
            yield self._ask_triton(model, request)

    def stream(self, requests: Iterator[Any]) -> Iterator[Any]:
        return map(self.post, requests)

    def _asked(self, request: Any) -> resources_pb2.Model:
        """Return the model of a request, with the version that answers it."""
        model = self._models.find(request.user_app_id.app_id, request.model_id)
        model.model_version.CopyFrom(self._version(model, request))
        if not 0 < len(request.inputs) <= MOST_INPUTS:
            raise ApiError(
                Code.INPUT_INVALID_ARGUMENT,
                f"a request has 1 to {MOST_INPUTS} inputs; this one has {len(request.inputs)}",
            )
        return model

    def _ask_triton(self, model: resources_pb2.Model, request: Any) -> Any:
        # With this code, clients of clarifai 12 fall back to the call for older models.
        if any("_method_name" in given.data.metadata for given in request.inputs):
            raise ApiError(Code.INPUT_UNSUPPORTED_FORMAT, "a Triton model has no method signatures")
        asked = inputs.asked(request.model)
        fields = model.model_version.pretrained_model_config.input_fields_map
        fetched = self._fetching.fetch(request.inputs, set(fields))
        answer = partial(self._answer, model, asked, fetched)
        # Threads of its own, so that a slow model holds up no other; one an input, so that Triton's
        # batcher sees the whole request.
        with ThreadPoolExecutor(len(request.inputs), "predict") as pool:
            answered = list(pool.map(answer, request.inputs))
        return service_pb2.MultiOutputResponse(status=_overall(answered), outputs=answered)

    def _version(self, model: resources_pb2.Model, request: Any) -> resources_pb2.ModelVersion:
        version = self._named(model, request)
        if version.status.code in UNFINISHED:
            raise ApiError(Code.MODEL_DEPLOYING, f"version {version.id} is being built")
        if version.status.code != Code.MODEL_TRAINED:
            raise ApiError(
                Code.MODEL_NOT_DEPLOYED, f"version {version.id}: {version.status.details}"
            )
        return version

    def _named(self, model: resources_pb2.Model, request: Any) -> resources_pb2.ModelVersion:
        """Return the version that a request names; without one, the one that serves."""
        if request.version_id:
            # Deployed or not: how else could one be tried before it is?
            return self._versions.find(model.app_id, model.id, request.version_id)
        deployed = self._deployments.answering(model, request.runner_selector)
        if deployed is not None:
            return self._versions.find(model.app_id, model.id, deployed)
        versions = self._database.versions(model.app_id, model.id)
        if not versions:
            raise ApiError(Code.MODEL_DOES_NOT_EXIST, f"'{model.id}' has no version yet")
        # Of zips the newest one that is ready answers, as on the platform.
        ready = [each for each in versions if each.status.code == Code.MODEL_TRAINED]
        newest = (ready or versions)[0]
        if is_runner(newest) and ready:
            raise ApiError(
                Code.MODEL_NOT_DEPLOYED,
                f"no version of model '{model.id}' is deployed: post a deployment, for example"
                f" of version {newest.id} in nodepool '{NODEPOOL_ID}', or name a version",
            )
        return newest

    def _answer(
        self,
        model: resources_pb2.Model,
        asked: inputs.Asked,
        fetched: Fetched,
        given: resources_pb2.Input,
    ) -> resources_pb2.Output:
        output = resources_pb2.Output(id=uuid.uuid4().hex, created_at=now(), model=model)
        output.input.id = given.id or uuid.uuid4().hex
        try:
            with ExitStack() as held:
                sources = inputs.Sources(
                    fetched, lambda size: held.enter_context(self._memory.held(size))
                )
                answer = self._ask(model.model_version, asked, given.data, sources)
            output.data.CopyFrom(answer)
            output.status.CopyFrom(status(Code.SUCCESS))
        except ApiError as error:
            output.status.CopyFrom(status(error.code, error.details))
        except SandboxError as error:
            output.status.CopyFrom(status(Code.MODEL_PREDICTION_FAILED, str(error)))
        return output

    def _ask(
        self,
        version: resources_pb2.ModelVersion,
        asked: inputs.Asked,
        data: resources_pb2.Data,
        sources: inputs.Sources,
    ) -> resources_pb2.Data:
        maps = version.pretrained_model_config
        served = self._serving.model(version.id)
        tensors = inputs.tensors(data, dict(maps.input_fields_map), served, sources)
        arrays = self._serving.infer(version.id, tensors, asked.parameters)
        answer = outputs.data(arrays, dict(maps.output_fields_map), served)
        outputs.select(answer, asked.config)
        return answer


def _overall(answered: list[resources_pb2.Output]) -> Any:
    failed = [output for output in answered if output.status.code != Code.SUCCESS]
    if not failed:
        return status(Code.SUCCESS)
    code = Code.FAILURE if len(failed) == len(answered) else Code.MIXED_STATUS
    details = f"{len(failed)} of {len(answered)} inputs failed: {failed[0].status.details}"
    return status(code, details)
