"""Packing, hashing and publishing, against the seed system's way, cp, hashlib and boto3.

Everything is measured in one run, variants in turn, medians; ratios are printed beside their
limits, the stretch in brackets. Trees are made once, below --folder: 4 GiB, and as much for zips.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import trees
from local_platform import platform
from measuring import Variant, in_turn, run, show, variant

KEYS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "benchbench"}
LIMIT_MIB = 120.0
MODEL = """
class InferenceModel:
    def get_predictions(self, input_data, **kwargs):
        return input_data
"""


class Bench:
    """The places of one run, and whether all limits have held so far."""

    def __init__(self, folder: Path, rounds: int, slow_rounds: int) -> None:
        run([sys.executable, str(Path(trees.__file__)), str(folder)])
        self.trees = trees.places(folder)
        self.work = Path(tempfile.mkdtemp(prefix="run.", dir=folder))
        self.cache = self.work / "digests"
        self.rounds, self.slow_rounds = rounds, slow_rounds
        self.ours: list[Variant] = []
        self.holds = True

    def zip(self, tree: str, cache: object) -> Variant:
        """Ours, to disk."""
        made = variant("zip", self.trees[tree], self.target("ours"), cache, prepare=self.clear)
        self.ours.append(made)
        return made

    def tar_gz(self, tree: str, cache: object) -> Variant:
        """Ours for a runner, to disk."""
        made = variant("tar-gz", self.trees[tree], self.target("ours"), cache, prepare=self.clear)
        self.ours.append(made)
        return made

    def publish(self, tree: str, cache: object, endpoint: str) -> Variant:
        made = variant("publish", self.trees[tree], cache, endpoint, prepare=self.clear)
        self.ours.append(made)
        return made

    def apply(
        self,
        tree: str,
        endpoint: str,
        account: Mapping[str, str],
        cache: str,
        prepare: Callable[[], None],
    ) -> Variant:
        """The whole command; with the cache `none` it hashes everything anew."""
        folder = self.model(tree, f"apply-{cache}", endpoint)
        command = [sys.executable, "-m", "clarifai_build", "apply", str(folder)]
        kept = self.work / f"cache-{cache}"

        def ready() -> None:
            prepare()
            if cache == "none":
                subprocess.run(["rm", "-rf", kept], check=True)

        environ = {**account, "XDG_CACHE_HOME": str(kept)}
        made = Variant(["env", *(f"{k}={v}" for k, v in environ.items()), *command], ready)
        self.ours.append(made)
        return made

    def model(self, tree: str, name: str, endpoint: str = "") -> Path:
        """Make a model folder around a tree, by hard links."""
        folder = self.work / name
        subprocess.run(["cp", "-al", f"{self.trees[tree]}/.", folder], check=True)
        (folder / "inference.py").write_text(MODEL)
        store = f"storage: {{bucket: public, endpoint_url: '{endpoint}'}}\n" if endpoint else ""
        (folder / "clarifai.yaml").write_text(
            f"model: {{id: bench-{name}, type: text-to-text}}\n{store}"
        )
        return folder

    def seed(self, tree: str) -> Variant:
        return variant("seed-zip", self.trees[tree], self.target("seed"), prepare=self.clear)

    def target(self, name: str) -> Path:
        return self.work / f"{name}.zip"

    def clear(self) -> None:
        """Remove zips of earlier runs, and let the disk come to rest."""
        for file in self.work.glob("*.zip"):
            file.unlink()
        os.sync()

    def compare(
        self,
        what: str,
        over: Variant,
        under: Variant,
        limit: float,
        stretch: float | None = None,
        disk: Variant | None = None,
    ) -> None:
        """Show a ratio; `disk` is what ours would take if content cost nothing but to wait."""
        detail = f"{over.seconds:.3f} s ÷ {under.seconds:.3f} s"
        best = None
        if disk is not None:
            ends = [disk if each in self.ours else each for each in (over, under)]
            best = ends[0].seconds / ends[1].seconds
        self.holds &= show(what, over.seconds / under.seconds, limit, stretch, detail, best)

    def count(self, what: str, value: float, limit: float, stretch: float | None = None) -> None:
        self.holds &= show(what, value, limit, stretch, "")


def to_disk(bench: Bench) -> None:
    """Trees (a) and (b) to a zip on disk."""
    known = bench.zip("b", bench.cache)
    large = bench.trees["b"] / "weights.bin"
    copy = Variant(["cp", str(large), str(bench.work / "cp.zip")], bench.clear)
    zeros = bench.target("zeros")
    disk = variant("waiting", bench.trees["b"], zeros, bench.cache, prepare=bench.clear)
    kernel = variant("sendfile-zip", *known.command[-3:], prepare=bench.clear)
    seed = bench.seed("b")
    run(known.command)
    in_turn([seed], bench.slow_rounds)
    in_turn([kernel, disk, copy, known], bench.rounds)
    bench.compare("zip of (b), digests known: seed ÷ ours", seed, known, 50, 75, disk)
    bench.compare("zip of (b), digests known: ours / cp", known, copy, 1.7, 1.2, disk)
    print(
        f"    the same with zeros for content, which waits for the disk alone: {disk.seconds:.3f} s"
    )
    print(f"    zip of (b), digests known, by sendfile: {kernel.seconds:.3f} s")
    cold = variant("cold-build", bench.trees["b"], bench.target("ours"), prepare=bench.clear)
    bench.ours.append(cold)
    digest = variant("file-digest", large)
    in_turn([cold, digest, disk], bench.rounds)
    bench.compare("cold build of (b): ours / hashlib.file_digest", cold, digest, 1.4, 1.1, disk)
    small, seed_small = bench.zip("a", bench.cache), bench.seed("a")
    run(small.command)
    in_turn([small, seed_small], bench.rounds)
    bench.compare("zip of (a): ours / seed", small, seed_small, 0.6, 0.45)
    mixed = bench.zip("c", bench.cache)
    run(mixed.command)
    in_turn([mixed], bench.slow_rounds)
    print(f"    zip of (c), digests known: {mixed.seconds:.3f} s")


def to_tar_gz(bench: Bench) -> None:
    """Trees (a) and (b) to a tar.gz on disk, beside the zip of the same, and what `tar` makes."""
    for tree, zip_limit, tar_limit in (("a", 1.6, 0.8), ("b", 1.6, 10.0)):
        ours, zipped = bench.tar_gz(tree, bench.cache), bench.zip(tree, bench.cache)
        command = ["tar", "-czf", str(bench.target("tar")), "-C", str(bench.trees[tree]), "."]
        tar = Variant(command, bench.clear)
        run(ours.command)
        in_turn([ours, zipped], bench.rounds)
        in_turn([tar], bench.slow_rounds)
        bench.compare(f"tar.gz of ({tree}), digests known: ours / our zip", ours, zipped, zip_limit)
        bench.compare(f"tar.gz of ({tree}): tar czf ÷ ours", tar, ours, tar_limit)


def unchanged(bench: Bench) -> None:
    """Tree (d) when nothing, and when one small file, has changed."""
    own = Path(tempfile.mkdtemp(prefix="d.", dir=bench.work))
    subprocess.run(["cp", "-al", f"{bench.trees['d']}/.", own], check=True)
    (own / "small.txt").write_text("before")
    ours = variant("tree", own, bench.cache)
    bench.ours.append(ours)
    run(ours.command)
    run(ours.command)
    python = Variant([sys.executable, "-c", "pass"])
    os.sync()
    in_turn([ours, python], max(bench.rounds, 21))
    read = max(int(each.output.split()[0]) for each in ours.runs)
    bench.count("nothing changed in (d): bytes of content read", read, 0)
    bench.compare("nothing changed in (d): ours / python -c pass", ours, python, 8, 4.5)
    (own / "small.txt").write_text("afterwards")
    read = int(run(ours.command).output.split()[0])
    bench.count("one file of 10 bytes changed in (d): bytes of content read", read, 10)


def to_a_store(bench: Bench) -> None:
    """Tree (b) to SeaweedFS by the whole command, (d) to the server that swallows bodies."""
    with seaweed(bench.work) as endpoint, platform(bench.work) as account:
        empty = partial(forget, bench, endpoint)
        cold, known = (
            bench.apply("b", endpoint, account, cache, empty) for cache in ("none", "kept")
        )
        ready = bench.work / "ready.stored"
        seed = variant("seed-publish", bench.trees["b"], bench.target("seed"), endpoint)
        boto3 = variant("boto3-upload", ready, endpoint)
        seed.prepare = boto3.prepare = empty
        in_turn([seed, cold], bench.slow_rounds)
        bench.compare("publish of (b), cold, SeaweedFS: seed ÷ ours", seed, cold, 5)
        run(variant("zip", bench.trees["b"], ready, bench.cache).command)
        empty()
        run(known.command)
        in_turn([known, boto3], bench.rounds)
        bench.compare("publish of (b), known, SeaweedFS: ours / boto3", known, boto3, 1.1, 1.0)
    ready.unlink()
    with swallowing() as endpoint:
        ours = bench.publish("d", bench.cache, endpoint)
        run(ours.command)
        stored = variant(
            "stored-publish",
            bench.trees["d"],
            bench.target("stored"),
            endpoint,
            prepare=bench.clear,
        )
        in_turn([ours, stored], bench.slow_rounds)
        what = "publish of (d), known, swallowing: ours / stored zip + boto3"
        bench.compare(what, ours, stored, 0.5, 0.3)


FORGET = """
import sys, boto3
client = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1")
for item in client.list_objects_v2(Bucket="public").get("Contents", []):
    client.delete_object(Bucket="public", Key=item["Key"])
"""


def forget(bench: Bench, endpoint: str) -> None:
    """Empty the bucket and the disk's queue."""
    run([sys.executable, "-c", FORGET, endpoint])
    bench.clear()


@contextmanager
def seaweed(work: Path) -> Iterator[str]:
    """A SeaweedFS of its own, as the sandbox starts it."""
    from clarifai_build.sandbox.engines import install, processes
    from clarifai_build.sandbox.engines import seaweedfs as store

    keys = store.Keys(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"])
    ports = dict(zip(store.PORT_NAMES, processes.free_ports(len(store.PORT_NAMES)), strict=True))
    process = store.start(install.install(), keys, ports, work / "seaweed", work / "seaweed.log")
    try:
        while not store.is_ready(ports["s3"]):
            if process.poll() is not None:
                raise SystemExit((work / "seaweed.log").read_text())
        store.make_buckets(ports["s3"], keys)
        yield f"http://127.0.0.1:{ports['s3']}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def swallowing() -> Iterator[str]:
    """The server that keeps nothing."""
    server = Path(__file__).with_name("swallowing.py")
    with subprocess.Popen(
        [sys.executable, server], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def whole_command(bench: Bench) -> None:
    """The whole `build` command on (b), for the record."""
    code = bench.model("b", "model")
    command = [sys.executable, "-m", "clarifai_build", "build", str(code / "clarifai.yaml")]
    command += ["-o", str(bench.target("build"))]
    build = Variant(command, bench.clear)
    run(build.command)
    in_turn([build], bench.slow_rounds)
    print(f"    the whole build command on (b), digests known: {build.seconds:.3f} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(tempfile.gettempdir()) / "clarifai-build-bench"
    parser.add_argument("--folder", type=Path, default=default)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow-rounds", type=int, default=3)
    parser.add_argument("--only", choices=["disk", "tar", "unchanged", "store"])
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(KEYS, XDG_CACHE_HOME=str(args.folder / "cache"))
    bench = Bench(args.folder, args.rounds, args.slow_rounds)
    parts = {"disk": to_disk, "tar": to_tar_gz, "unchanged": unchanged, "store": to_a_store}
    try:
        for name, part in parts.items():
            if args.only in (None, name):
                part(bench)
        if args.only in (None, "disk"):
            whole_command(bench)
        peak = max(each.mebibytes for each in bench.ours if each.runs)
        bench.count("peak memory of any of ours, MiB", peak, LIMIT_MIB, 70)
    finally:
        subprocess.run(["rm", "-rf", bench.work], check=True)
    return 0 if bench.holds else 1


if __name__ == "__main__":
    sys.exit(main())
