"""Decoupled serving: a model that yields its answer piece by piece, each sent as it comes."""

from __future__ import annotations

from typing import Any, NamedTuple, Sequence

from ..calling import failure_of
from ..errors import InvalidInputError, ModelFailedError, RequestError
from ..loading import Predict
from ..outputs import TextOutput
from ..parameters import Parameters
from .answering import Responder
from .decoding import Decoder
from .encoding import Encoder


class StreamingServer(NamedTuple):
    """Serves one loaded text-to-text model whose predictions are iterated over."""

    predict: Predict
    decode: Decoder
    encoder: Encoder
    parameters: Parameters
    responder: Responder

    def execute(self, requests: Sequence[Any]) -> None:
        """Stream the answer of each request, one request after the other."""
        for request in requests:
            sender = request.get_response_sender()
            try:
                self._stream(request, sender)
            except BaseException as error:  # noqa: BLE001 - whatever happens ends this stream alone
                failure = error if isinstance(error, RequestError) else failure_of(error)
                if isinstance(failure, ModelFailedError):
                    self.responder.log(failure)
                (response,) = self.responder.respond([failure])
                sender.send(response, flags=self.responder.final)
            else:
                sender.send(flags=self.responder.final)

    def _stream(self, request: Any, sender: Any) -> None:
        params = self.parameters.resolve(request.parameters())
        items, _ = self.decode(request)
        if len(items) != 1:
            raise InvalidInputError(f"streaming takes one text a request, not {len(items)}")
        for piece in self.predict(items, params.values):
            if sender.is_cancelled():
                return
            output = TextOutput(piece) if isinstance(piece, str) else piece
            (answer,) = self.encoder.encode([output], [1])
            if isinstance(answer, RequestError):
                raise answer
            sender.send(*self.responder.respond([answer]))
