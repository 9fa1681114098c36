"""Answers in pieces: a model that streams is called for one request at a time, in a thread of it.

So a caller that reads slowly, or no more, keeps no other waiting longer than the model itself does.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import Callable, Iterator, List, Optional, Sequence

import numpy as np

from .exchange import (
    TRITONSERVER_RESPONSE_COMPLETE_FINAL,
    InferenceResponse,
    Request,
    Tensor,
)
from .merging import Item

Pieces = Iterator[InferenceResponse]


class Streams:
    """Lets threads take turns at a streaming server's `execute`."""

    def __init__(self, execute: Callable[[Sequence[Request]], None]) -> None:
        self._execute = execute
        self._turn = threading.Lock()

    def ask(self, items: Sequence[Item]) -> List[InferenceResponse]:
        """Return the whole answer to each item, for callers who don't stream."""
        return [_joined(list(self.stream(item))) for item in items]

    def stream(self, item: Item) -> Pieces:
        """Yield the responses to a request as they come; closed early, it lets the model stop."""
        pieces: SimpleQueue[Optional[InferenceResponse]] = SimpleQueue()

        def receive(response: Optional[InferenceResponse], last: bool) -> None:
            if response is not None:
                pieces.put(response)
            if last:
                pieces.put(None)

        request = Request(*item, receive)
        threading.Thread(target=self._run, args=(request,), daemon=True).start()
        try:
            while True:
                piece = pieces.get()
                if piece is None:
                    return
                yield piece
        finally:
            request.cancelled = True

    def _run(self, request: Request) -> None:
        try:
            with self._turn:
                self._execute([request])
        finally:
            # Nobody waits for ever, whatever a server may have left undone.
            request.send(flags=TRITONSERVER_RESPONSE_COMPLETE_FINAL)


def _joined(pieces: Sequence[InferenceResponse]) -> InferenceResponse:
    """Put the pieces of one text together; a failure is the last piece, and all there is."""
    if pieces and pieces[-1].error is not None:
        return pieces[-1]
    text = b"".join(piece.tensors[0].array.item() for piece in pieces)
    return InferenceResponse([Tensor("text", np.array([[text]], dtype=object))])
