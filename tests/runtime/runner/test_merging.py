"""Requests of many threads share calls, and every caller gets its own answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarifai_runtime.runner.exchange import InferenceResponse, Request, Tensor
from clarifai_runtime.runner.merging import Item, Merger

TIMEOUT = 20.0


def item(number: int) -> Item:
    """Return a request that carries a number."""
    return {"number": np.array([number])}, ""


def number_of(request: Request) -> int:
    """Return the number that a request carries."""
    return int(request.inputs()[0].as_numpy()[0])


def answer_to(request: Request) -> InferenceResponse:
    """Answer a request with its number."""
    return InferenceResponse([Tensor("number", np.array([number_of(request)]))])


def numbers(responses: Sequence[InferenceResponse]) -> list[int]:
    """Return what responses carry."""
    return [int(response.tensors[0].array[0]) for response in responses]


class Model:
    """Notes its calls; each waits until it is let go, where the test holds it."""

    def __init__(self, *, held: bool = False) -> None:
        self.calls: list[list[int]] = []
        self.go_on = threading.Semaphore(0)
        self._held = held
        self._running = threading.Lock()

    def __call__(self, requests: Sequence[Request]) -> list[InferenceResponse | None]:
        """Answer a batch."""
        assert self._running.acquire(blocking=False), "the model was called twice at once"
        try:
            self.calls.append([number_of(request) for request in requests])
            if self._held:
                assert self.go_on.acquire(timeout=TIMEOUT)
            return self.answer(requests)
        finally:
            self._running.release()

    def answer(self, requests: Sequence[Request]) -> list[InferenceResponse | None]:
        """Return the responses of a batch."""
        return [answer_to(request) for request in requests]


class Callers:
    """Threads that ask a merger, one after the other, each once the one before it waits."""

    def __init__(self, model: Model, most: int = 8) -> None:
        self.model = model
        self.merger = Merger(model, most)
        self._pool = ThreadPoolExecutor(16)

    def ask(self, *asked: int) -> Future[list[int]]:
        """Let a thread ask; return once its requests wait, or are in a call."""
        before = self._known()
        future = self._pool.submit(lambda: numbers(self.merger.ask([item(n) for n in asked])))
        until(lambda: self._known() == before + len(asked))
        return future

    def _known(self) -> int:
        return sum(map(len, self.model.calls)) + len(self.merger._waiting)


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + TIMEOUT
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def held() -> Callers:
    """Return callers of a model whose calls wait."""
    return Callers(Model(held=True))


def result(future: Future[Any]) -> Any:
    """Return what a thread got."""
    return future.result(timeout=TIMEOUT)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=12),
    st.integers(1, 5),
)
def test_every_caller_gets_its_own_answers(asked: list[list[int]], most: int) -> None:
    """However requests are spread over threads, nothing is lost, doubled or mixed up."""
    model = Model()
    merger = Merger(model, most)
    with ThreadPoolExecutor(len(asked)) as callers:
        found = list(callers.map(lambda each: numbers(merger.ask([item(n) for n in each])), asked))
    assert found == asked
    assert sorted(chain(*model.calls)) == sorted(chain(*asked))
    assert all(0 < len(call) <= most for call in model.calls)


def test_nothing_waits_when_nobody_calls() -> None:
    """One caller is a call of its own, in its own thread."""
    seen = []
    merger = Merger(
        lambda requests: seen.append(threading.get_ident()) or list(map(answer_to, requests)), 8
    )
    assert numbers(merger.ask([item(1)])) == [1]
    assert seen == [threading.get_ident()]


def test_what_waits_is_one_call(held: Callers) -> None:
    """While a call runs, the requests of all others gather."""
    first = held.ask(1)
    others = [held.ask(number, number + 10) for number in (2, 3, 4)]
    held.model.go_on.release(2)
    assert result(first) == [1]
    assert [result(other) for other in others] == [[2, 12], [3, 13], [4, 14]]
    assert held.model.calls == [[1], [2, 12, 3, 13, 4, 14]]


def test_a_call_has_at_most_a_batch(held: Callers) -> None:
    """What does not fit goes into the next one, in the order in which it was asked."""
    first, second = held.ask(0), held.ask(*range(1, 11))
    held.model.go_on.release(3)
    assert result(first) == [0]
    assert result(second) == list(range(1, 11))
    assert held.model.calls == [[0], [1, 2, 3, 4, 5, 6, 7, 8], [9, 10]]


def test_nobody_works_for_others_once_it_has_its_answer(held: Callers) -> None:
    """The first caller goes while the second one's call still runs."""
    first, second = held.ask(1), held.ask(2)
    held.model.go_on.release()
    assert result(first) == [1]
    assert not second.done()
    held.model.go_on.release()
    assert result(second) == [2]


class Ahead(Model):
    """Sends the answer to 1 before it is let go."""

    def __call__(self, requests: Sequence[Request]) -> list[InferenceResponse | None]:
        ahead = [request for request in requests if number_of(request) == 1]
        for request in ahead:
            request.get_response_sender().send(answer_to(request), 1)
        responses = super().__call__(requests)
        return [
            None if request in ahead else response
            for request, response in zip(requests, responses, strict=True)
        ]


def test_an_answer_that_is_sent_ahead_wakes_its_caller() -> None:
    """It does not wait for the others of its call."""
    held = Callers(Ahead(held=True))
    first, second, ahead = held.ask(0), held.ask(2), held.ask(1)
    held.model.go_on.release()
    assert result(first) == [0]
    assert result(ahead) == [1]
    assert not second.done()
    held.model.go_on.release()
    assert result(second) == [2]
    assert held.model.calls == [[0], [2, 1]]


class Interrupted(Model):
    """Is interrupted in its second call, as by Ctrl-C."""

    def answer(self, requests: Sequence[Request]) -> list[InferenceResponse | None]:
        if len(self.calls) == 2:
            raise KeyboardInterrupt
        return super().answer(requests)


def test_an_interrupt_leaves_nobody_without_an_answer() -> None:
    """The thread that led gets it, the others of its call an error, and later ones an answer."""
    held = Callers(Interrupted(held=True), most=2)
    first, leader, other, later = (held.ask(number) for number in range(4))
    held.model.go_on.release(3)
    assert result(first) == [0]
    with pytest.raises(KeyboardInterrupt):
        result(leader)
    with pytest.raises(IndexError):  # It has no tensors.
        result(other)
    assert result(later) == [3]


def test_no_request_is_no_call() -> None:
    """A request of which no input could be read asks the model nothing."""
    model = Model()
    assert Merger(model, 8).ask([]) == []
    assert model.calls == []
