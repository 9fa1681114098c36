"""The server that runner processes dial: one call, and a token that opens one model's requests.

Its own server, since every stream keeps a thread, and since a model's code must not be handed the
token of the sandbox.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from clarifai_grpc.grpc.api import service_pb2_grpc

from clarifai_build.sandbox.api.runners.items import Desk

# Runners at once, times the streams of each, twice: a new one opens before the old one is gone.
_THREADS = 640
_GRACE_SECONDS = 0.5
# As to the API: what a model answers is held in memory.
_MOST_ANSWER_BYTES = 192 << 20
_LOG = logging.getLogger(__name__)


class Gate(service_pb2_grpc.V2Servicer):  # type: ignore[misc]  # has no stubs
    """Listens on a free port of the loopback interface."""

    def __init__(self) -> None:
        self._desks: dict[str, tuple[str, Desk]] = {}
        self._changing = threading.Lock()
        self._server = grpc.server(
            ThreadPoolExecutor(_THREADS, "runner-stream"),
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_send_message_length", -1),
                ("grpc.max_receive_message_length", _MOST_ANSWER_BYTES),
            ],
        )
        service_pb2_grpc.add_V2Servicer_to_server(self, self._server)
        self._port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def admit(self, runner_id: str, desk: Desk) -> str:
        """Return a new token with which a process takes what waits at a desk."""
        token = secrets.token_hex(16)
        with self._changing:
            self._desks[token] = (runner_id, desk)
        return token

    def dismiss(self, token: str) -> None:
        """Let a token open nothing any more."""
        with self._changing:
            self._desks.pop(token, None)

    def close(self) -> None:
        with self._changing:
            desks = [desk for _, desk in self._desks.values()]
        for desk in desks:
            desk.close("the sandbox is stopping")
        self._server.stop(_GRACE_SECONDS)

    def ProcessRunnerItems(  # noqa: N802 - the platform's name
        self, messages: Iterator[Any], context: grpc.ServicerContext
    ) -> Iterator[Any]:
        """Serve one stream of a process."""
        runner_id, desk = self._known(context)
        first = next(messages, None)
        if first is None:
            return
        context.add_callback(desk.wake)
        if first.runner_id != runner_id:
            # Its control connection: open as long as the process lives.
            for _ in messages:
                pass
            return
        try:
            yield from desk.serve(messages, context.is_active)
        except grpc.RpcError:
            _LOG.info("runner %s: a stream broke off", runner_id)

    def _known(self, context: grpc.ServicerContext) -> tuple[str, Desk]:
        metadata = dict(context.invocation_metadata())
        token = str(metadata.get("authorization", "")).removeprefix("Key ")
        with self._changing:
            known = self._desks.get(token)
        if known is None:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "no runner has this token")
            raise AssertionError  # not reached: abort raises
        return known
