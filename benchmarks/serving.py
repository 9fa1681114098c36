"""The runtime against a minimal hand-written model.py and a per-request one, in one Triton server.

Artifacts are built as users build them; model.py is swapped for the other two. Clients drive the
variants in turn, in a closed loop over gRPC. A figure is the median of the rounds' ratios; rounds
are short and many, so that both sides of a ratio meet the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tritonclient.grpc as triton_grpc
from overhead import overhead
from tritonclient.grpc.service_pb2 import DESCRIPTOR, ModelInferRequest
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from clarifai_build.artifact.folder_writer import write_folder
from clarifai_build.pipeline import build
from clarifai_build.sandbox.engines import install, triton
from clarifai_build.validation.load import load

MODELS = Path(__file__).with_name("serving_models")
CONCURRENCY = (1, 8, 32)
MODEL_INFER = f"/{DESCRIPTOR.package}.GRPCInferenceService/ModelInfer"
WARM_UP = 0.1
"""Seconds that clients run before their answers count."""

Tensors = Mapping[str, Any]


@dataclass(frozen=True)
class Workload:
    """A model's code, its type, and the requests clients send in turn."""

    code: str
    type: str
    requests: Sequence[Tensors]
    variants: Sequence[str] = ("runtime", "minimal", "per_request")
    options: str = ""


def text(value: str) -> Tensors:
    return {"text": np.array([[value.encode()]], dtype=object)}


def image(height: int, width: int) -> Tensors:
    noise = np.random.RandomState(0).randint(0, 256, (1, height, width, 3))
    return {"image": noise.astype(np.uint8)}


EMBEDDER = Workload("embedder", "text-embedder", [text(f"text {n}") for n in range(16)])
CLASSIFIER = Workload("classifier", "visual-classifier", [image(224, 224)])
SIZES = [(64, 64), (64, 96), (96, 64), (96, 96)]
MIXED = Workload(
    "sizes", "visual-embedder", [image(*size) for size in SIZES], ("runtime", "minimal", "unragged")
)
GUILTY = Workload(
    "guilty",
    "text-to-text",
    [],
    ("runtime",),
    ", dynamic_batching: {max_queue_delay_microseconds: 500000}",
)
TOKENS = Workload("tokens", "text-to-text", [], ("runtime",), ", streaming: true")
WORKLOADS = (EMBEDDER, CLASSIFIER, MIXED, GUILTY, TOKENS)


def lay_out(workload: Workload, variant: str, repository: Path, scratch: Path) -> str:
    """Build one variant of a workload into the server's repository; return its name."""
    name = f"{workload.code}-{variant.replace('_', '-')}"
    source = scratch / name
    source.mkdir()
    (source / "inference.py").write_text((MODELS / f"{workload.code}.py").read_text())
    if variant in ("minimal", "per_request"):
        (source / "model.py").write_text((MODELS / f"{variant}.py").read_text())
    labels = ", labels: [a, b, c, d, e, f, g, h, i, j]" if "classifier" in workload.type else ""
    batch = 1 if "streaming" in workload.options else 16
    ragged = ", ragged: false" if variant == "unragged" else ""
    manifest = source / "clarifai.yaml"
    manifest.write_text(
        f"version: 1\nmodel: {{id: {name}, type: {workload.type}{labels}}}\n"
        f"triton: {{max_batch_size: {batch}{ragged}{workload.options}}}\n"
    )
    write_folder(build(load(manifest, os.environ, offline=True)).tree, repository / name)
    return name


def inputs(tensors: Tensors) -> list[triton_grpc.InferInput]:
    made = []
    for name, array in tensors.items():
        tensor = triton_grpc.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
        tensor.set_data_from_numpy(array)
        made.append(tensor)
    return made


def infer_request(model: str, tensors: Tensors) -> ModelInferRequest:
    """Make a request as it goes over the wire."""
    request = ModelInferRequest(model_name=model)
    for made in inputs(tensors):
        request.inputs.append(made._get_tensor())
        request.raw_input_contents.append(made._get_content())
    return request


async def throughput(
    port: int, model: str, requests: Sequence[Tensors], clients: int, seconds: float
) -> float:
    """Drive a model with as many clients at once; return answers a second.

    Counted is what is answered within a window, when all clients have been at it for a while.
    Requests are encoded beforehand and answers left undecoded, so that as little as possible of
    the machine goes to the clients.
    """
    prepared = [infer_request(model, request).SerializeToString() for request in requests]
    answered = 0
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await channel.channel_ready()
        infer = channel.unary_unary(MODEL_INFER)

        async def loop(number: int) -> None:
            nonlocal answered
            while True:
                await infer(prepared[number % len(prepared)])
                now = time.perf_counter()
                if now >= end:
                    return
                answered += now >= begin
                number += 1

        begin = time.perf_counter() + WARM_UP
        end = begin + seconds
        await asyncio.gather(*(loop(number) for number in range(clients)))
        return answered / seconds


class Bench:
    """The figures of one run, printed as they come beside their limits."""

    def __init__(self, port: int, rounds: int, seconds: float) -> None:
        self.port, self.rounds, self.seconds = port, rounds, seconds
        self.holds = True

    def show(self, what: str, figure: float, limit: float, *, at_least: bool = True) -> None:
        holds = figure >= limit if at_least else figure <= limit
        self.holds &= holds
        sign = "≥" if at_least else "≤"
        print(
            f"{'ok ' if holds else 'NOT'} {what:<66} {figure:>8.2f}  {sign} {limit:g}", flush=True
        )

    def rates(
        self, workload: Workload, variants: Sequence[str], clients: int
    ) -> dict[str, list[float]]:
        """Measure variants of a workload in turn; the first round warms up."""
        found: dict[str, list[float]] = {variant: [] for variant in variants}
        for number in range(self.rounds + 1):
            for variant in variants[:: 1 if number % 2 else -1]:
                name = f"{workload.code}-{variant.replace('_', '-')}"
                rate = asyncio.run(
                    throughput(self.port, name, workload.requests, clients, self.seconds)
                )
                if number:
                    found[variant].append(rate)
        return found

    def compare(self, workload: Workload, clients: int, limits: Mapping[str, float]) -> None:
        """Show the runtime against the other variants that have a limit."""
        rates = self.rates(workload, ["runtime", *limits], clients)
        for other, limit in limits.items():
            pairs = zip(rates["runtime"], rates[other], strict=True)
            ratio = statistics.median(ours / theirs for ours, theirs in pairs)
            what = f"{workload.code}, concurrency {clients}: runtime ÷ {other.replace('_', '-')}"
            self.show(what, ratio, limit)


def lost_to_one(client: triton_grpc.InferenceServerClient) -> int:
    """Send 16 requests at once, one of them bad; return how many fail."""

    def fails(value: str) -> bool:
        try:
            client.infer("guilty-runtime", inputs(text(value)))
        except InferenceServerException:
            return True
        return False

    with ThreadPoolExecutor(max_workers=16) as senders:
        return sum(senders.map(fails, ["bad", *["good"] * 15]))


def first_token(client: triton_grpc.InferenceServerClient) -> float:
    """Stream 64 tokens; return when the first came, as a part of when the last did."""
    times: list[float] = []
    client.start_stream(lambda result, error: times.append(time.perf_counter()))  # noqa: ARG005 - its names
    started = time.perf_counter()
    client.async_stream_infer("tokens-runtime", inputs(text("go")))
    while len(times) < 64:
        time.sleep(0.005)
    client.stop_stream()
    return (times[0] - started) / (times[63] - started)


def measure(bench: Bench, client: triton_grpc.InferenceServerClient) -> None:
    """Print the table."""
    faster = {8: {"per_request": 3.5}, 32: {"per_request": 8.0}}
    for clients in CONCURRENCY:
        bench.compare(EMBEDDER, clients, {"minimal": 0.95, **faster.get(clients, {})})
    for clients in CONCURRENCY:
        bench.compare(CLASSIFIER, clients, {"minimal": 0.95})
    for clients in CONCURRENCY:
        ragged = {"unragged": 5.0} if clients == 32 else {}
        bench.compare(MIXED, clients, {"minimal": 0.95, **ragged})
    ours, minimal = overhead(bench.rounds)
    ratio = statistics.median(one / other for one, other in zip(ours, minimal, strict=True))
    what = "Python a request, batch of 16, no server"
    # Of an absolute time the least is shown: whatever else the machine does only adds to it.
    bench.show(f"{what}: µs", min(ours), 10, at_least=False)
    bench.show(f"{what}: runtime ÷ minimal", ratio, 1.3, at_least=False)
    bench.show("requests lost to one bad among 16", lost_to_one(client), 1, at_least=False)
    parts = [first_token(client) for _ in range(bench.rounds)]
    what = "first token ÷ whole answer, 64 tokens"
    bench.show(what, statistics.median(parts), 0.1, at_least=False)


def main() -> int:
    """Run the benchmark; 1 when a limit does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each measurement")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="serving-bench-") as folder:
        scratch = Path(folder)
        repository = scratch / "models"
        names = [
            lay_out(workload, variant, repository, scratch)
            for workload in WORKLOADS
            for variant in workload.variants
        ]
        with triton.serving(install.install(), repository, scratch / "work") as server:
            for name in names:
                server.load(name)
            client = triton_grpc.InferenceServerClient(f"127.0.0.1:{server.port}")
            bench = Bench(server.port, args.rounds, args.seconds)
            measure(bench, client)
    return 0 if bench.holds else 1


if __name__ == "__main__":
    sys.exit(main())
