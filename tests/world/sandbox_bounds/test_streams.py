"""Requests that are too large, and streams that stay open."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from typing import Any

import grpc
import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2, service_pb2_grpc

from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.sandbox.api import __main__, service
from clarifai_build.sandbox.api.service import MOST_STREAMS, Access, Service
from support.sandbox_client import Api, text

INVALID, THROTTLED = 21202, 11005


def upload(api: Api, total: int, *parts: tuple[int, bytes]) -> Any:
    """Send a zip in parts; return the last answer."""
    config = service_pb2.PostModelVersionsUploadConfig(
        user_app_id=api.user_app_id, model_id=api.new_model("text-to-text"), total_size=total
    )
    maps = config.model_version.pretrained_model_config
    maps.input_fields_map.update(MODEL_TYPES["text-to-text"].input_fields_map)
    maps.output_fields_map.update(MODEL_TYPES["text-to-text"].output_fields_map)
    sent = [service_pb2.PostModelVersionsUploadRequest(upload_config=config)]
    for number, data in parts:
        part = resources_pb2.UploadContentPart(part_number=number, data=data)
        sent.append(service_pb2.PostModelVersionsUploadRequest(content_part=part))
    return list(api.stub.PostModelVersionsUpload(iter(sent), metadata=api.metadata))[-1]


@pytest.mark.parametrize("total", [0, 1 << 50])
def test_an_upload_of_no_possible_size_is_refused(api: Api, total: int) -> None:
    """Before a part is taken."""
    status = upload(api, total, (1, b"x")).status
    assert (status.code, "total_size" in status.details) == (INVALID, True)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([(1, b"12345"), (2, b"678901")], "have 11 bytes"),
        ([(-1, b"12345")], "part -1"),
        ([(10_001, b"1")], "part 10001"),
    ],
)
def test_parts_have_their_bounds(api: Api, parts: list[tuple[int, bytes]], said: str) -> None:
    """In bytes, by what was announced, and in number."""
    status = upload(api, 10, *parts).status
    assert (status.code, said in status.details) == (INVALID, True), status


def test_a_request_has_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A larger one is refused by what it says of itself, before it is in memory."""
    monkeypatch.setattr(__main__, "MOST_REQUEST_BYTES", 1 << 20)
    server = grpc.server(ThreadPoolExecutor(1), options=__main__.server_options())
    service_pb2_grpc.add_V2Servicer_to_server(Service({}, Access("u", "t")), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        ask = service_pb2_grpc.V2Stub(channel).PostModelOutputs
        assert ask(service_pb2.PostModelOutputsRequest(model_id="x" * 1000)).status.code
        with pytest.raises(grpc.RpcError) as caught:
            ask(service_pb2.PostModelOutputsRequest(model_id="x" * (1 << 20)))
    server.stop(None)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_open_streams_leave_threads_for_others(api: Api, reverser: str) -> None:
    """Those that say nothing do not stop predictions, and those too many are told so."""
    ended = threading.Event()

    def silent() -> Iterator[Any]:
        ended.wait()
        yield from ()

    call = api.stub.StreamModelOutputs
    streams = [call(silent(), metadata=api.metadata) for _ in range(MOST_STREAMS + 8)]
    with ThreadPoolExecutor(len(streams)) as pool:
        answers = [pool.submit(next, stream, None) for stream in streams]
        refused = list(islice(as_completed(answers), 8))
        answer = api.predict(reverser, text("abc"))
        assert sum(each.done() for each in answers) == 8
        ended.set()
    assert answer.outputs[0].data.text.raw == "cba"
    assert {each.result().status.code for each in refused} == {THROTTLED}
    assert [each.result() for each in answers if each not in refused] == [None] * MOST_STREAMS


class Context:
    """As much of a call's context as a stream needs."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.cancel = self.cancelled.set

    def invocation_metadata(self) -> list[tuple[str, str]]:
        return [("authorization", "Key t")]


def test_a_stream_ends_when_its_client_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time that the server takes to answer does not count."""
    monkeypatch.setattr(service, "IDLE_SECONDS", 0.3)
    context = Context()

    def messages() -> Iterator[Any]:
        yield service_pb2.PostModelOutputsRequest()
        context.cancelled.wait(30)

    def answer(requests: Iterator[Any]) -> Iterator[Any]:
        for _ in requests:
            assert not context.cancelled.wait(0.6)
            yield service_pb2.MultiOutputResponse()

    served = Service({"StreamModelOutputs": answer}, Access("u", "t"))
    answers = list(served.StreamModelOutputs(messages(), context))
    assert [each.status.code for each in answers] == [10000]
    assert context.cancelled.is_set()
