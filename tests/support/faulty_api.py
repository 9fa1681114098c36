"""A gRPC proxy on loopback that forwards every call to a real server, except for the faults."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from clarifai_grpc.grpc.api import service_pb2

LATE_SECONDS = 0.3
_LATE = "late request"
Forward = Callable[[], bytes]
Fault = Callable[[Forward, grpc.ServicerContext], bytes]


def request_lost(_forward: Forward, context: grpc.ServicerContext) -> bytes:
    """The server never hears of it."""
    context.abort(grpc.StatusCode.UNAVAILABLE, "the request was lost")
    raise AssertionError


def answer_lost(forward: Forward, context: grpc.ServicerContext) -> bytes:
    """The server did it, and nobody is told."""
    forward()
    context.abort(grpc.StatusCode.UNAVAILABLE, "the answer was lost")
    raise AssertionError


def carried_out_late(forward: Forward, context: grpc.ServicerContext) -> bytes:
    """The call fails now, and the server does it in a moment."""

    def later() -> None:
        time.sleep(LATE_SECONDS)
        forward()

    threading.Thread(target=later, name=_LATE).start()
    context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")
    raise AssertionError


def settle() -> None:
    """Wait until the server has done all that it does late."""
    for thread in threading.enumerate():
        if thread.name == _LATE:
            thread.join()


def delivered_twice(forward: Forward, _context: grpc.ServicerContext) -> bytes:
    """The server hears it twice; the second answer arrives."""
    forward()
    return forward()


def answered_late(forward: Forward, _context: grpc.ServicerContext) -> bytes:
    """The answer takes its time."""
    answer = forward()
    time.sleep(LATE_SECONDS)
    return answer


def page_missing(forward: Forward, _context: grpc.ServicerContext) -> bytes:
    """The list of versions comes without what is on this page."""
    answer = service_pb2.MultiModelVersionResponse.FromString(forward())
    del answer.model_versions[:]
    return bytes(answer.SerializeToString())


def out_of_order(forward: Forward, _context: grpc.ServicerContext) -> bytes:
    """The list of versions comes oldest first, and each twice."""
    answer = service_pb2.MultiModelVersionResponse.FromString(forward())
    versions = [*reversed(answer.model_versions), *answer.model_versions]
    return bytes(
        service_pb2.MultiModelVersionResponse(
            status=answer.status, model_versions=versions
        ).SerializeToString()
    )


class FaultyApi(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no stubs
    """`faults` are used up, first come first served, by the calls of the RPC they are set for."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self.faults: dict[str, list[Fault]] = {}
        self.api_base = ""

    def service(self, details: Any) -> Any:
        """Return what answers a call."""
        method = details.method
        metadata = [item for item in details.invocation_metadata if item[0] == "authorization"]

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            def forward() -> bytes:
                return bytes(self._channel.unary_unary(method)(request, metadata=metadata))

            waiting = self.faults.get(method.rpartition("/")[2], [])
            return waiting.pop(0)(forward, context) if waiting else forward()

        return grpc.unary_unary_rpc_method_handler(answer)


@contextmanager
def faulty_api(api_base: str) -> Iterator[FaultyApi]:
    """Run a proxy before the server at an address."""
    with grpc.insecure_channel(api_base.removeprefix("http://")) as channel:
        proxy = FaultyApi(channel)
        server = grpc.server(ThreadPoolExecutor(16))
        server.add_generic_rpc_handlers((proxy,))
        proxy.api_base = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        try:
            yield proxy
        finally:
            settle()
            server.stop(None).wait()
