"""A loaded model behind the methods of a runner's class: typed ones, and that of older clients."""

from __future__ import annotations

from typing import Any, Callable, Iterator, List, Mapping, NamedTuple, Sequence, Tuple, Union

from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from ..errors import InvalidInputError, RequestError
from ..model_types import ModelType
from ..parameters import Param
from . import answers, sent
from .exchange import InferenceResponse
from .items import Reader
from .merging import Item
from .statuses import OK, hide_traceback, overall, status_of

Ask = Callable[[Sequence[Item]], List[InferenceResponse]]
Stream = Callable[[Item], Iterator[InferenceResponse]]
Answer = Tuple[Any, answers.Arrays]
"""Clarifai's `Data`, and the arrays that it is made from."""


class Runner(NamedTuple):
    """What the methods of a runner's class call; any number of threads may."""

    model_type: ModelType
    labels: Sequence[str]
    params: Sequence[Param]
    reader: Reader
    ask: Ask
    stream: Stream

    def predict(self, inputs: Mapping[str, Any], params: Mapping[str, Any]) -> Any:
        """Answer one input, in the SDK's types; an embedding is a float32 array.

        `inputs` has an `Image` or None under "image", a str under "text". Raises RequestError.
        """
        from .typed import value_of

        (response,) = self.ask([self._item(inputs, params)])
        return value_of(self.model_type, *self._answer(response))

    def generate(self, inputs: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[str]:
        """Yield the pieces of a text as they come. Raises RequestError."""
        for response in self.stream(self._item(inputs, params)):
            data, _ = self._answer(response)
            yield data.text.raw

    def post_model_outputs(self, request: Any) -> Any:
        """Answer a request of an older client: all its inputs in one call, each by itself."""
        outcomes = self._outcomes(request)
        errors = [one if isinstance(one, RequestError) else None for one in outcomes]
        response = service_pb2.MultiOutputResponse(status=overall(errors))
        config = _output_config(request.model)
        for given, outcome in zip(request.inputs, outcomes):
            output = response.outputs.add()
            output.input.id = given.id
            if isinstance(outcome, RequestError):
                output.status.CopyFrom(status_of(outcome))
            else:
                data, _ = outcome
                answers.select(data, config)
                output.data.CopyFrom(data)
                output.status.CopyFrom(OK)
        return response

    @staticmethod
    def without_traceback(response: Any) -> Any:
        """Return a response of the SDK's without the lines of code that a failure shows."""
        return hide_traceback(response)

    def _item(self, inputs: Mapping[str, Any], params: Mapping[str, Any]) -> Item:
        return self.reader.of_method(inputs), sent.of_method(params, self.params)

    def _outcomes(self, request: Any) -> List[Union[Answer, RequestError]]:
        """Return the answer to each input, or why it has none."""
        read = [self._read(given.data, request.model) for given in request.inputs]
        responses = iter(self.ask([one for one in read if not isinstance(one, RequestError)]))
        return [
            one if isinstance(one, RequestError) else self._outcome(next(responses)) for one in read
        ]

    def _read(self, data: Any, model: Any) -> Union[Item, RequestError]:
        try:
            return self.reader.of_data(data), sent.of_request(model, self.params)
        except RequestError as error:
            return error
        except Exception as error:  # noqa: BLE001 - what a client sends can raise anything
            return InvalidInputError(f"can't be read: {type(error).__name__}: {error}")

    def _outcome(self, response: InferenceResponse) -> Union[Answer, RequestError]:
        try:
            return self._answer(response)
        except RequestError as error:
            return error

    def _answer(self, response: InferenceResponse) -> Answer:
        if response.error is not None:
            raise _error_of(response)
        arrays = [tensor.array[0] for tensor in response.tensors]
        return answers.data_of(self.model_type, self.labels, arrays), arrays


def _error_of(response: InferenceResponse) -> RequestError:
    error = RequestError(str(response.error))
    error.code = getattr(response.error, "code", error.code)
    return error


def _output_config(model: Any) -> Any:
    config = resources_pb2.OutputConfig()
    config.MergeFrom(model.output_info.output_config)
    config.MergeFrom(model.model_version.output_info.output_config)
    return config
