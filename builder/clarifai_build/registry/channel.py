"""One gRPC channel to the Clarifai API: connecting, retrying, and turning answers into errors."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import grpc
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_code_pb2
from google.protobuf.message_factory import GetMessageClass

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.errors import BuilderError, NotAuthorisedError, RegistryError
from clarifai_build.registry import BrokenStreamError, DeadlineError, NoAnswerError
from clarifai_build.registry.account import Account
from clarifai_build.registry.guarded_stream import GuardedStream
from clarifai_build.registry.status_codes import (
    CONNECTION_DOES_NOT_EXIST,
    HOURLY_LIMIT,
    NOT_AUTHORISED,
    QUOTA,
    RETRY,
    STREAM_RETRY,
    SUCCESS,
)
from clarifai_build.util.small_files import MIB, read_small
from clarifai_build.util.urls import is_loopback, is_plain, redact_url

# A bundle of all public authorities has a quarter of this.
_MAX_CERTIFICATES = MIB
# Without a deadline, a gRPC call to a server that hangs never ends.
CALL_SECONDS = 30.0
# With the pauses of `_backoff`, at most 7.5 s of waiting.
ATTEMPTS = 5
# gRPC's own limit is 4 MiB; a page has 128 versions, each with metadata of any size.
MAX_MESSAGE_BYTES = 128 * 1024 * 1024
_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # gRPC would repeat calls that must not run twice, such as PostModelVersions.
    ("grpc.enable_retries", 0),
)
_V2 = service_pb2.DESCRIPTOR.services_by_name["V2"]
_TRANSIENT = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    }
)
# What a proxy, a server that restarts or a line that drops ends a stream with.
_BREAKS = _TRANSIENT | {
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
}


class Channel:
    """Calls RPCs of clarifai.api.V2 by name, as one account.

    The generated V2Stub is left aside: it works only on channels made by clarifai_grpc, whose retry
    policy repeats calls that must not run twice, and it sets up hundreds of methods.
    """

    def __init__(self, account: Account, sleep: Callable[[float], None] = time.sleep) -> None:
        self.account = account
        self.user_app_id = resources_pb2.UserAppIDSet(
            user_id=account.user_id, app_id=account.app_id
        )
        self._channel = _open(account)
        self._sleep = sleep

    def close(self) -> None:
        self._channel.close()

    def call(
        self,
        rpc: str,
        request: Any,
        *,
        allowed: Iterable[int] = (),
        repeatable: bool = True,
        timeout: float = CALL_SECONDS,
    ) -> Any:
        """Call an RPC and return its answer.

        Answers with a status that is neither success nor in `allowed` become errors. What may pass
        is tried again, with backoff and jitter. A call that is not `repeatable` is not tried again
        when it got no answer, but raises NoAnswerError: it may have been carried out. `timeout` is
        in seconds; DeadlineError says that it was over.
        """
        last_attempt = ATTEMPTS - 1
        for attempt in range(ATTEMPTS):
            try:
                answer = self._method(rpc)(request, metadata=self.account.metadata, timeout=timeout)
            except grpc.RpcError as error:
                if repeatable and attempt < last_attempt and error.code() in _TRANSIENT:
                    self._sleep(backoff(attempt))
                    continue
                kind = RegistryError if repeatable else _no_answer(error)
                raise _transport_error(kind, rpc, error, self.account) from error
            code = answer.status.code
            if code == SUCCESS or code in allowed:
                return answer
            # Even what is not repeatable: these codes say that the call was not carried out.
            if code in RETRY and attempt < last_attempt:
                self._sleep(backoff(attempt))
                continue
            raise _status_error(rpc, answer.status, self.account)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def stream(
        self,
        rpc: str,
        requests: Iterable[Any],
        *,
        allowed: Iterable[int] = (),
        idle: float,
        cancel: CancelToken = NEVER,
    ) -> Iterator[Any]:
        """Send requests as they are made, and yield the answers as they come; once.

        Answers with a status that is neither success nor in `allowed` become errors. `idle` is in
        seconds: for so long, neither may a request be taken nor an answer come. Raises
        BrokenStreamError where another stream may do better, DeadlineError where the time is over,
        and what making a request raises.
        """
        accepted = {SUCCESS, *allowed}
        stream = GuardedStream(requests, idle, cancel)
        try:
            method = self._method(rpc, self._channel.stream_stream)
            for answer in stream.answers(method, metadata=self.account.metadata):
                code = answer.status.code
                if code in STREAM_RETRY:
                    raise BrokenStreamError(
                        *_status_error(rpc, answer.status, self.account).problems
                    )
                if code not in accepted:
                    raise _status_error(rpc, answer.status, self.account)
                yield answer
        except grpc.RpcError as error:
            stream.raise_reason()
            if stream.is_late:
                raise _idle_error(rpc, idle, self.account) from error
            kind = BrokenStreamError if error.code() in _BREAKS else NoAnswerError
            raise _transport_error(kind, rpc, error, self.account) from error

    def _method(self, rpc: str, kind: Callable[..., Any] | None = None) -> Callable[..., Any]:
        method = _V2.methods_by_name[rpc]
        call: Callable[..., Any] = (kind or self._channel.unary_unary)(
            f"/{_V2.full_name}/{rpc}",
            request_serializer=GetMessageClass(method.input_type).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        return call


def _open(account: Account) -> grpc.Channel:
    """Connect as the scheme says: http is insecure, https and none are TLS."""
    base = account.api_base if "://" in account.api_base else f"https://{account.api_base}"
    if not is_plain(base) or not base.startswith(("http://", "https://")):
        raise RegistryError.of(
            "api-base",
            f"'{redact_url(base)}' is not an address of a Clarifai API, or holds credentials",
            hint="write https://host, or http://host:port for a server without TLS",
        )
    address = urlsplit(base)
    if address.scheme == "http":
        # A proxy would be sent in clear what is meant for this machine.
        direct = (("grpc.enable_http_proxy", 0),) if is_loopback(base) else ()
        target = f"{address.hostname}:{address.port or 80}"
        return grpc.insecure_channel(target, (*_OPTIONS, *direct))
    credentials = grpc.ssl_channel_credentials(_roots(account.root_certificates))
    return grpc.secure_channel(f"{address.hostname}:{address.port or 443}", credentials, _OPTIONS)


def _roots(file: str | None) -> bytes | None:
    if file is None:
        return None
    try:
        return read_small(file, _MAX_CERTIFICATES)
    except OSError as error:
        raise RegistryError.of(
            "root-certificates",
            f"{file} can't be read: {error.strerror}",
            hint="correct CLARIFAI_ROOT_CERTIFICATES_PATH, or unset it for the usual certificates",
        ) from error


def backoff(attempt: int) -> float:
    """Seconds to wait: exponential, with full jitter on the upper half."""
    return float(0.5 * 2**attempt * random.uniform(0.5, 1.0))


def _no_answer(error: grpc.RpcError) -> type[NoAnswerError]:
    late = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    return DeadlineError if late else NoAnswerError


def _transport_error(
    kind: type[RegistryError], rpc: str, error: grpc.RpcError, account: Account
) -> RegistryError:
    return kind.of(
        "api-unreachable",
        f"{rpc}: the Clarifai API at {redact_url(account.api_base)} did not answer: "
        f"{error.code().name}: {error.details()}",
        hint="check clarifai.api_base or CLARIFAI_API_BASE, and the network",
    )


def _idle_error(rpc: str, idle: float, account: Account) -> DeadlineError:
    return DeadlineError.of(
        "stream-idle",
        f"{rpc}: the Clarifai API at {redact_url(account.api_base)} neither took anything nor "
        f"answered for {idle:.0f} s",
        hint="check the network, and apply again",
    )


def _status_error(rpc: str, status: Any, account: Account) -> BuilderError:
    """Report what the platform answered: description, details and request id may all be empty."""
    said = ": ".join(filter(None, (status.description, status.details))) or "no description"
    text = f"{rpc}: {said} (code {_name(status.code)}, request {status.req_id or 'unknown'})"
    if status.code == CONNECTION_DOES_NOT_EXIST:
        return NotAuthorisedError.of(
            "app-not-found",
            text,
            hint=f"there is no app '{account.app_id}' of user '{account.user_id}', or the token "
            "belongs to someone else",
        )
    if status.code in NOT_AUTHORISED:
        return NotAuthorisedError.of(
            "not-authorised",
            text,
            hint=f"check that CLARIFAI_PAT belongs to user '{account.user_id}' and may write",
        )
    if status.code == HOURLY_LIMIT:
        return RegistryError.of("hourly-limit", text, hint="try again in an hour")
    if status.code in QUOTA:
        return RegistryError.of(
            "quota", text, hint="raise the limit of the account, or free what it no longer needs"
        )
    return RegistryError.of("api-refused", text)


def _name(code: int) -> str:
    known = status_code_pb2.StatusCode.DESCRIPTOR.values_by_number.get(code)
    return f"{code} {known.name}" if known else str(code)
