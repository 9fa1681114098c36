"""Requests at a desk: handed out once, answered in order, and failed when nobody is left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from clarifai_grpc.grpc.api import service_pb2

from clarifai_build.sandbox.api.errors import ApiError, Code, status
from clarifai_build.sandbox.api.runners.items import UNARY, Desk, GoneError, Item


def item() -> Item:
    return Item(service_pb2.PostModelOutputsRequest(), UNARY)


def answer(words: str = "") -> Any:
    output = service_pb2.MultiOutputResponse(status=status(Code.SUCCESS))
    output.outputs.add().data.text.raw = words
    message = service_pb2.PostRunnerItemOutputsRequest(status=status(Code.SUCCESS))
    message.runner_item_outputs.add(multi_output_response=output)
    return message


def always() -> bool:
    return True


def serve(desk: Desk, messages: Iterator[Any]) -> list[Any]:
    """Take one request as a process does, and answer it."""
    return list(desk.serve(messages, always))


def test_answers_come_in_order() -> None:
    desk, asked = Desk(), item()
    desk.put(asked)
    assert serve(desk, iter([answer("a"), answer("b")])) == [asked.message]
    assert [each.outputs[0].data.text.raw for each in asked.answers(5)] == ["a", "b"]
    assert desk.is_idle
    assert desk.joined.is_set()


def test_a_stream_that_breaks_off_fails_its_request() -> None:
    def breaks() -> Iterator[Any]:
        yield answer("a")
        raise OSError("reset")

    desk, asked = Desk(), item()
    desk.put(asked)
    with pytest.raises(OSError, match="reset"):
        serve(desk, breaks())
    answers = asked.answers(5)
    assert next(answers).outputs[0].data.text.raw == "a"
    with pytest.raises(ApiError, match="the runner's process ended while it answered"):
        next(answers)
    assert desk.is_idle


def test_a_failure_without_outputs_is_passed_on() -> None:
    desk, asked = Desk(), item()
    desk.put(asked)
    failed = status(Code.RUNNER_PROCESSING_FAILED, "out of memory")
    serve(desk, iter([service_pb2.PostRunnerItemOutputsRequest(status=failed)]))
    with pytest.raises(ApiError, match="out of memory"):
        list(asked.answers(5))


def test_a_desk_that_is_closed_gives_back_what_waits_and_takes_no_more() -> None:
    desk, asked = Desk(), item()
    desk.put(asked)
    desk.close("it ended with code 3")
    with pytest.raises(GoneError, match="it ended with code 3"):
        list(asked.answers(5))
    with pytest.raises(GoneError):
        desk.put(item())
    assert serve(desk, iter([])) == []


def test_a_closed_desk_lets_its_streams_go() -> None:
    desk = Desk()
    waiting = threading.Thread(target=serve, args=(desk, iter([])))
    waiting.start()
    desk.joined.wait(5)
    desk.close("over")
    waiting.join(5)
    assert not waiting.is_alive()


def test_a_stream_whose_client_is_gone_takes_nothing() -> None:
    desk, asked = Desk(), item()
    desk.put(asked)
    assert list(desk.serve(iter([]), lambda: False)) == []
    assert not desk.is_idle


def test_a_request_that_nobody_waits_for_is_not_handed_out() -> None:
    desk, first, second = Desk(), item(), item()
    with pytest.raises(ApiError, match="no answer within 0 s"):
        list(first.answers(0))
    desk.put(first)
    desk.put(second)
    assert serve(desk, iter([answer()])) == [second.message]
