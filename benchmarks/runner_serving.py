"""Serve a runner folder by the SDK's servicer in this process, and print its rates as JSON.

Started by runner.py, in the environment that has `clarifai`. Annotations are not postponed: the SDK
would find text in their place.
"""

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clarifai.runners.models.model_builder import ModelBuilder
from clarifai.runners.models.model_class import ModelClass
from clarifai.runners.models.model_servicer import ModelServicer
from clarifai.runners.utils.serializers import np
from clarifai_grpc.grpc.api import resources_pb2, service_pb2

WARM_UP = 0.1
"""Seconds that callers run before their answers count."""

ANSWERS = 400
"""Answers that are timed one by one, in a round of the overhead."""

Call = Callable[[Any], Any]


def typed() -> Any:
    """Return a request as today's clients make it."""
    data = resources_pb2.Data()
    data.metadata["_method_name"] = "predict"
    data.parts.add(id="text").data.string_value = "a text"
    return service_pb2.PostModelOutputsRequest(inputs=[resources_pb2.Input(data=data)])


def older() -> Any:
    """Return a request as older clients make it."""
    data = resources_pb2.Data(text=resources_pb2.Text(raw="a text"))
    return service_pb2.PostModelOutputsRequest(inputs=[resources_pb2.Input(data=data)])


CLIENTS = {"today's client": typed, "older client": older}


class Bare(ModelClass):  # type: ignore[misc]  # the SDK has no types
    """The least that answers the same: no checks, no merging."""

    def __init__(self, predict: Any) -> None:
        super().__init__()
        self._predict = predict

    @ModelClass.method  # type: ignore[untyped-decorator]  # the SDK has no types
    def predict(self, text: str) -> np.ndarray:
        """Return the embedding of a text."""
        (output,) = self._predict([text])
        return output.embedding_vector


def rate(call: Call, make: Callable[[], Any], callers: int, seconds: float) -> float:
    """Return the answers a second to callers in a closed loop, once all have been at it a while."""
    begin = time.perf_counter() + WARM_UP
    end = begin + seconds
    answered = [0] * callers

    def loop(number: int) -> None:
        while True:
            response = call(make())
            assert response.outputs, response
            now = time.perf_counter()
            if now >= end:
                return
            answered[number] += now >= begin

    threads = [threading.Thread(target=loop, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(answered) / seconds


def rates(model: Any, make: Callable[[], Any], callers: int, rounds: int, seconds: float) -> Any:
    """Return the rates of both sides, round by round; the first round warms up."""
    merged, lock = model.runner, threading.Lock()

    def one_by_one(items: Any) -> Any:
        with lock:
            return merged.ask(items)

    sides = {"merged": merged, "lock": merged._replace(ask=one_by_one)}
    found: dict[str, list[float]] = {side: [] for side in sides}
    call = ModelServicer(model).PostModelOutputs
    for number in range(rounds + 1):
        for side in list(sides)[:: 1 if number % 2 else -1]:
            model.runner = sides[side]
            measured = rate(call, make, callers, seconds)
            if number:
                found[side].append(measured)
    model.runner = merged
    return found


def milliseconds(call: Call, make: Callable[[], Any]) -> float:
    """Return the median time of an answer to one caller."""
    times = []
    for _ in range(ANSWERS):
        request = make()
        started = time.perf_counter()
        call(request)
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e3


def overhead(model: Any, make: Callable[[], Any], rounds: int) -> dict[str, float]:
    """Return the median times of our model and of the bare class, in turn."""
    bare = Bare(without_sleep())
    calls = {"ours": ModelServicer(model), "bare": ModelServicer(bare)}
    found: dict[str, list[float]] = {side: [] for side in calls}
    for number in range(rounds):
        for side in list(calls)[:: 1 if number % 2 else -1]:
            found[side].append(milliseconds(calls[side].PostModelOutputs, make))
    return {side: statistics.median(times) for side, times in found.items()}


def without_sleep() -> Any:
    """Take the 5 ms out of the model that is served, and return its function."""
    (module,) = (each for name, each in sys.modules.items() if name.startswith("inference_"))
    module.time = type("Time", (), {"sleep": staticmethod(lambda _seconds: None)})  # type: ignore[attr-defined]  # a stand-in for the module
    return module.InferenceModel().get_predictions


def main(folder: str, rounds: int, seconds: float) -> None:
    """Print the figures."""
    model = ModelBuilder(folder, download_validation_only=True).create_model_instance()
    found: dict[str, Any] = {"rates": {}, "overhead": {}}
    for client, make in CLIENTS.items():
        found["rates"][client] = {
            callers: rates(model, make, callers, rounds, seconds) for callers in (8, 32)
        }
    for client, make in CLIENTS.items():
        found["overhead"][client] = overhead(model, make, rounds)
    print(json.dumps(found))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
