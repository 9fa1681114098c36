"""Every RPC of clarifai.api.V2: checks the token, calls its handler, answers in-band."""

from __future__ import annotations

import hmac
import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from clarifai_grpc.grpc.api import service_pb2, service_pb2_grpc
from google.protobuf.message_factory import GetMessageClass

from clarifai_build.errors import BuilderError
from clarifai_build.sandbox.api.errors import ApiError, Code, status

Handler = Callable[[Any], Any]
"""Takes a request (streams: an iterator of them) and returns an answer (streams: yields them)."""

# Of the server's threads, which a stream keeps as long as it is open.
MOST_STREAMS = 32
# For a client to send the next message.
IDLE_SECONDS = 120.0
_LOG = logging.getLogger(__name__)
_V2 = service_pb2.DESCRIPTOR.services_by_name["V2"]


@dataclass(frozen=True, slots=True)
class Access:
    """The one user and the one token that the sandbox lets in."""

    user_id: str
    token: str

    def check(self, metadata: Mapping[str, str]) -> None:
        given = metadata.get("authorization", "").removeprefix("Key ").removeprefix("Bearer ")
        given = given or metadata.get("x-clarifai-session-token", "")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            raise ApiError(
                Code.CONN_KEY_INVALID,
                "the token is not the sandbox's; 'clarifai-build sandbox status' shows it",
            )

    def check_user(self, user_id: str) -> None:
        if user_id not in ("", "me", self.user_id):
            raise ApiError(
                Code.CONN_DOES_NOT_EXIST,
                f"user '{user_id}' does not exist here or the token is not theirs;"
                f" the sandbox's user is '{self.user_id}'",
            )


class Service(service_pb2_grpc.V2Servicer):  # type: ignore[misc]  # has no stubs
    """Serves each RPC that has a handler; the others answer NOT_IMPLEMENTED, in-band."""

    def __init__(self, handlers: Mapping[str, Handler], access: Access) -> None:
        self._access = access
        self._streams = threading.BoundedSemaphore(MOST_STREAMS)
        for rpc in _V2.methods:
            handler = handlers.get(rpc.name, _not_implemented(rpc.name))
            answer = GetMessageClass(rpc.output_type)
            if rpc.client_streaming:
                handler = self._in_turn(handler)
            streams = rpc.server_streaming
            setattr(self, rpc.name, (self._stream if streams else self._unary)(handler, answer))

    def _in_turn(self, handler: Handler) -> Handler:
        def call(requests: Iterator[Any]) -> Iterator[Any]:
            if not self._streams.acquire(blocking=False):
                raise ApiError(Code.CONN_THROTTLED, f"{MOST_STREAMS} streams are open already")
            try:
                yield from handler(requests)
            finally:
                self._streams.release()

        return call

    def _unary(self, handler: Handler, answer: Any) -> Callable[[Any, grpc.ServicerContext], Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Any:
            request_id = _request_id(context)
            try:
                self._check(request, context)
                return _finished(handler(request), request_id)
            except ApiError as error:
                return answer(status=status(error.code, error.details, request_id))
            except BuilderError as error:
                return answer(status=status(Code.FAILURE, str(error), request_id))
            except Exception as error:  # noqa: BLE001 - the server's one catch-all: answers in-band
                return answer(status=_bug(error, request_id))

        return call

    def _stream(self, handler: Handler, answer: Any) -> Callable[..., Iterator[Any]]:
        def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            request_id = _request_id(context)
            try:
                self._check(request, context)
                for each in handler(_unidle(request, context)):
                    yield _finished(each, request_id)
            except ApiError as error:
                yield answer(status=status(error.code, error.details, request_id))
            except BuilderError as error:
                yield answer(status=status(Code.FAILURE, str(error), request_id))
            except Exception as error:  # noqa: BLE001 - the server's one catch-all: answers in-band
                yield answer(status=_bug(error, request_id))

        return call

    def _check(self, request: Any, context: grpc.ServicerContext) -> None:
        self._access.check(_metadata(context))
        user_app = getattr(request, "user_app_id", None)
        if user_app is not None:
            self._access.check_user(user_app.user_id)


def _unidle(request: Any, context: grpc.ServicerContext) -> Any:
    """Return a request as it is; a stream of them ends when its client falls silent."""
    return _timed(request, context) if isinstance(request, Iterator) else request


def _timed(requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
    while True:
        timer = threading.Timer(IDLE_SECONDS, context.cancel)
        timer.daemon = True
        timer.start()
        try:
            request = next(requests)
        except StopIteration:
            return
        finally:
            timer.cancel()
        yield request


def _finished(answer: Any, request_id: str) -> Any:
    if not answer.status.code:
        answer.status.CopyFrom(status(Code.SUCCESS))
    answer.status.req_id = request_id
    return answer


def _not_implemented(name: str) -> Handler:
    def refuse(_request: Any) -> Any:
        raise ApiError(Code.NOT_IMPLEMENTED, f"the sandbox does not have {name}")

    return refuse


def _metadata(context: grpc.ServicerContext) -> dict[str, str]:
    return {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}


def _request_id(context: grpc.ServicerContext) -> str:
    prefix = _metadata(context).get("x-clarifai-request-id-prefix", "sandbox")
    return f"{prefix}-{uuid.uuid4().hex}"


def _bug(error: Exception, request_id: str) -> Any:
    _LOG.error("bug while answering %s", request_id, exc_info=error)
    details = f"a bug of the sandbox: {type(error).__name__}: {error}; see its log"
    return status(Code.FAILURE, details, request_id)
