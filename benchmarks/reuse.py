"""What moves when little or nothing is new: whole commands over a link of 200 Mbit/s.

SeaweedFS answers behind a forwarder that holds each direction to that and counts its bytes; the
platform is the sandbox's API without Triton. Medians; `--mib` makes all content smaller or larger.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fleet_plan
import small_files
from artifact import KEYS, MODEL, seaweed
from local_platform import platform
from measuring import show
from slow_link import Exchange, SlowLink

RATE = 200e6
MIB = 1 << 20
SHARDS = 10
WEIGHTS_BUCKET, WEIGHT_KEY = "private", "weights/large.bin"
MANIFEST = """\
model: {{id: {name}, type: text-to-text}}
{weights}
storage: {{bucket: public, prefix: reuse, region: us-east-1, endpoint_url: '{endpoint}'{more}}}
"""
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"


@dataclass(frozen=True)
class Done:
    """What a command took, what went over the link meanwhile, and why it failed, if it did."""

    seconds: float
    exchanges: Sequence[Exchange]
    failure: str

    @property
    def sent(self) -> int:
        return sum(each.sent for each in self.exchanges)

    @property
    def through(self) -> int:
        """Bytes in either direction."""
        return self.sent + sum(each.received for each in self.exchanges)

    @property
    def content(self) -> int:
        """Bytes of requests that get or put a weight or a zip, but for a sample of its ends."""
        return sum(
            each.sent + each.received
            for each in self.exchanges
            if each.method != "HEAD" and urlsplit(each.path).path.endswith((".zip", ".bin"))
        )


@dataclass
class Series:
    """The same command, as often as there are rounds."""

    runs: list[Done] = field(default_factory=list)

    def median(self, of: Callable[[Done], float]) -> float:
        """Return the median of a figure; infinite where a run failed."""
        if any(run.failure for run in self.runs):
            return float("inf")
        return statistics.median(of(run) for run in self.runs)

    @property
    def seconds(self) -> float:
        return self.median(lambda run: run.seconds)

    @property
    def failure(self) -> str:
        return next((run.failure for run in self.runs if run.failure), "")


class Bench:
    """The store, the link to it and the machines, and whether all limits have held so far."""

    def __init__(
        self, work: Path, link: SlowLink, store: str, account: Mapping[str, str], mib: int
    ) -> None:
        self.work, self.link, self.store, self.mib = work, link, store, mib
        self.environ = {**os.environ, **KEYS, **account}
        self.holds = True
        self.numbers = iter(range(1_000_000))

    def write(self, name: str, weights: str = "", more: str = "") -> Path:
        """Write a model's folder, or its manifest anew."""
        folder = self.work / name
        folder.mkdir(exist_ok=True)
        manifest = MANIFEST.format(name=name, weights=weights, endpoint=self.link.url, more=more)
        (folder / "clarifai.yaml").write_text(manifest)
        if not (folder / "inference.py").exists():
            self.change(folder)
        return folder

    def change(self, folder: Path) -> None:
        """Change one line of the model's code."""
        (folder / "inference.py").write_text(f"# {next(self.numbers)}\n{MODEL}")

    def cache(self, name: str = "") -> Path:
        """Return the cache of a machine: of a new one, which is empty, unless it has a name."""
        return self.work / "caches" / (name or f"new-{next(self.numbers)}")

    def apply(self, folder: Path, cache: Path, *, must: bool = False) -> Done:
        """Apply a folder as a process of its own, with a cache; it `must` succeed or end all."""
        command = [sys.executable, "-m", "clarifai_build", "apply", str(folder)]
        environ = {**self.environ, "XDG_CACHE_HOME": str(cache)}
        self.link.take()
        started = time.perf_counter()
        done = subprocess.run(command, env=environ, capture_output=True, text=True)
        seconds = time.perf_counter() - started
        failure = done.stderr.strip().splitlines()[-2:] if done.returncode else []
        if must and failure:
            raise SystemExit(f"{folder.name}: {done.returncode}\n{done.stderr}")
        if cache.name.startswith("new-"):
            shutil.rmtree(cache, ignore_errors=True)
        return Done(seconds, self.link.take(), " ".join(failure))

    def show(
        self, what: str, value: float, limit: float, stretch: float | None, detail: str
    ) -> None:
        self.holds &= show(what, value, limit, stretch, detail)

    def bytes(
        self,
        what: str,
        series: Series,
        of: Callable[[Done], float],
        limit: float,
        stretch: float | None,
    ) -> None:
        """Show a number of bytes in MiB."""
        detail = series.failure or f"MiB, in {series.seconds:.2f} s"
        self.show(what, series.median(of) / MIB, limit, stretch, detail)

    def ratio(
        self, what: str, over: Series, under: Series, limit: float, stretch: float | None
    ) -> None:
        detail = f"{over.seconds:.2f} s ÷ {under.seconds:.2f} s"
        value = over.seconds / under.seconds if over.seconds < float("inf") else float("inf")
        self.show(what, value, limit, stretch, over.failure or under.failure or detail)


def client(endpoint: str) -> Any:
    """Return what fills the store past the link."""
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )


def fill(file: Path, mib: int) -> str:
    """Write so many MiB of noise, and return their SHA-256."""
    sha256 = hashlib.sha256()
    with file.open("wb") as stream:
        for _ in range(mib):
            block = os.urandom(MIB)
            sha256.update(block)
            stream.write(block)
    return sha256.hexdigest()


def a_large_weight(bench: Bench, rounds: int) -> None:
    """A weight in the same store, in another bucket of it."""
    large = bench.work / "large.bin"
    sha256 = fill(large, bench.mib)
    client(bench.store).upload_file(str(large), WEIGHTS_BUCKET, WEIGHT_KEY)
    large.unlink()
    weight = f"{{to: large.bin, from: 's3://{WEIGHTS_BUCKET}/{WEIGHT_KEY}', sha256: {sha256}}}"
    weights, ours = f"weights: [{weight}]", bench.cache("ours")
    folder = bench.write("large", weights)
    bench.apply(folder, ours, must=True)
    nothing_new(bench, folder, ours, rounds)
    one_line(bench, folder, weights, ours, rounds)
    new = Series()
    for number in range(rounds):
        new.runs.append(bench.apply(bench.write(f"new{number}", weights), bench.cache()))
    what = f"new artifact of a verified {size(bench.mib)} weight, empty cache: MiB through"
    bench.bytes(what, new, lambda done: done.through, 16, 6)


def nothing_new(bench: Bench, folder: Path, ours: Path, rounds: int) -> None:
    """An apply with nothing to do, on this machine and on one that has no cache."""
    full, empty = Series(), Series()
    bench.apply(folder, ours, must=True)
    for _ in range(rounds):
        full.runs.append(bench.apply(folder, ours, must=True))
        empty.runs.append(bench.apply(folder, bench.cache()))
    what = f"nothing changed, empty cache, {size(bench.mib)} at s3://: MiB of content"
    bench.bytes(what, empty, lambda done: done.content, 0, None)
    bench.ratio("the same: time ÷ with a full cache", empty, full, 1.5, 1.2)


def one_line(bench: Bench, folder: Path, weights: str, ours: Path, rounds: int) -> None:
    """A line of inference.py changes; what is reused, and all sent again."""
    reused, all_sent = Series(), Series()
    for _ in range(rounds):
        for series, more in ((reused, ""), (all_sent, ", reuse: never")):
            bench.write(folder.name, weights, more)
            bench.change(folder)
            series.runs.append(bench.apply(folder, ours))
    what = f"one line changed, {size(bench.mib)}: MiB sent"
    bench.bytes(what, reused, lambda done: done.sent, 16, 6)
    bench.ratio("the same, through the link: sending all ÷ ours", all_sent, reused, 5, 8)


def ten_shards(bench: Bench, rounds: int) -> None:
    """Files of the folder itself, of which one is replaced."""
    each, ours, replaced = bench.mib * 100 // 1024, bench.cache("shards"), Series()
    folder = bench.write("shards")
    for number in range(SHARDS):
        fill(folder / f"shard{number}.bin", each)
    bench.apply(folder, ours, must=True)
    for number in range(rounds):
        fill(folder / f"shard{number * 3}.bin", each)
        replaced.runs.append(bench.apply(folder, ours))
    what = f"ten shards of {each} MiB, one replaced: MiB sent"
    bench.bytes(what, replaced, lambda done: done.sent, each + 16, each + 6)


def a_pointer(bench: Bench, rounds: int) -> None:
    """A checkout whose large file is a pointer of Git LFS."""
    folder, bare = bench.write("pointer"), Series()
    mib = bench.mib // 8
    file = folder / "large.bin"
    sha256 = fill(file, mib)
    bench.apply(folder, bench.cache(), must=True)
    file.write_text(POINTER.format(sha256=sha256, size=mib * MIB))
    for _ in range(rounds):
        bare.runs.append(bench.apply(folder, bench.cache()))
    what = "LFS checkout without content, nothing changed: MiB of content"
    bench.bytes(what, bare, lambda done: done.content, 0, None)


def size(mib: int) -> str:
    """Return a size in words."""
    return f"{mib // 1024} GiB" if mib % 1024 == 0 else f"{mib} MiB"


PARTS: Mapping[str, Callable[[Bench, int], None]] = {
    "weight": a_large_weight,
    "shards": ten_shards,
    "pointer": a_pointer,
}
OTHERS = ("fleet", "small")
"""Benchmarks of their own, for which nothing has to be slow."""


def over_the_link(work: Path, parts: Iterable[str], mib: int, rounds: int) -> bool:
    """Measure all that goes over the link; say whether every limit holds."""
    holds = True
    for part in parts:
        print(f"{part} …", file=sys.stderr, flush=True)
        # A store each, whose disk is given back: together, they would want tens of gigabytes.
        with tempfile.TemporaryDirectory(dir=work) as folder:
            holds &= _over_the_link(Path(folder), PARTS[part], mib, rounds)
    return holds


def _over_the_link(
    work: Path, measure: Callable[[Bench, int], None], mib: int, rounds: int
) -> bool:
    with (
        seaweed(work) as store,
        platform(work) as account,
        SlowLink(urlsplit(store).port or 0, RATE) as link,
    ):
        bench = Bench(work, link, store, account, mib)
        measure(bench, rounds)
    return bench.holds


def without_link(work: Path, parts: Iterable[str], rounds: int) -> bool:
    """Measure what many models and many files cost; say whether every limit holds."""
    holds = True
    for part in parts:
        print(f"{part} …", file=sys.stderr, flush=True)
        rows = fleet_plan.rows(rounds) if part == "fleet" else small_files.rows(work, rounds=rounds)
        for row in rows:
            holds &= show(*row)
    return holds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="how large the content is")
    parser.add_argument("--rounds", type=int, default=3, choices=(1, 2, 3))
    parser.add_argument("--only", choices=(*PARTS, *OTHERS), action="append")
    parser.add_argument("--folder", type=Path, help="where several times the content has room")
    args = parser.parse_args()
    wanted = args.only or (*PARTS, *OTHERS)
    print(f"a link of {RATE / 1e6:.0f} Mbit/s each way; medians of {args.rounds}\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="reuse-", dir=args.folder) as name:
        work = Path(name)
        linked = [part for part in PARTS if part in wanted]
        holds = over_the_link(work, linked, args.mib, args.rounds) if linked else True
        holds &= without_link(work, [part for part in OTHERS if part in wanted], args.rounds)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
