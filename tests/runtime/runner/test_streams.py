"""Streaming models: one request at a time, and no caller holds up another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from clarifai_runtime.runner.exchange import (
    TRITONSERVER_RESPONSE_COMPLETE_FINAL,
    InferenceResponse,
    Request,
    Tensor,
    TritonError,
)
from clarifai_runtime.runner.streams import Streams

ITEM = ({"text": np.array([[b"x"]], dtype=object)}, "")


def piece(text: bytes) -> InferenceResponse:
    """Return a piece of an answer."""
    return InferenceResponse([Tensor("text", np.array([[text]], dtype=object))])


def streaming(*pieces: InferenceResponse, then: Callable[[], object] = int) -> Streams:
    """Return streams of a model that sends these pieces; `then` runs between them."""

    def execute(requests: Sequence[Request]) -> None:
        (request,) = requests
        for each in pieces:
            if not request.is_cancelled():
                request.send(each)
                then()
        request.send(flags=TRITONSERVER_RESPONSE_COMPLETE_FINAL)

    return Streams(execute)


def texts(responses: Sequence[InferenceResponse]) -> list[bytes]:
    """Return the pieces."""
    return [response.tensors[0].array.item() for response in responses]


def test_pieces_come_as_they_are_made() -> None:
    """The first one is there while the model still works on the second."""
    go_on = threading.Semaphore(0)
    pieces = streaming(piece(b"a"), piece(b"b"), then=go_on.acquire).stream(ITEM)
    assert texts([next(pieces)]) == [b"a"]
    go_on.release(2)
    assert texts(list(pieces)) == [b"b"]


def test_a_caller_that_does_not_read_keeps_nobody_waiting() -> None:
    """What the model has made waits for its reader, not the model."""
    streams = streaming(piece(b"a"), piece(b"b"), piece(b"c"))
    slow = streams.stream(ITEM)
    assert texts([next(slow)]) == [b"a"]
    assert texts(list(streams.stream(ITEM))) == [b"a", b"b", b"c"]
    assert texts(list(slow)) == [b"b", b"c"]


def test_a_caller_that_goes_ends_its_stream() -> None:
    """The model is told, so that it need not make the rest."""
    made: list[int] = []
    go_on = threading.Semaphore(0)
    streams = streaming(*[piece(b"a")] * 5, then=lambda: made.append(1) or go_on.acquire())
    pieces = streams.stream(ITEM)
    next(pieces)
    pieces.close()
    go_on.release(10)
    # The next stream begins when the one before it has ended.
    assert len(list(streams.stream(ITEM))) == 5
    assert len(made) == 1 + 5


def test_the_whole_answer_is_its_pieces_together() -> None:
    """For callers that don't stream; without a piece it is empty."""
    assert texts(streaming(piece(b"a"), piece("ü".encode())).ask([ITEM])) == ["aü".encode()]
    assert texts(streaming().ask([ITEM])) == [b""]


def test_a_failure_is_the_whole_answer() -> None:
    """What came before it is no answer."""
    failure = InferenceResponse([], TritonError("a bad word"))
    assert streaming(piece(b"a"), failure).ask([ITEM]) == [failure]
