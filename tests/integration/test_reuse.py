"""Machines that share a repository, a store and a platform: what each of them moves.

A real S3 server behind a proxy that counts; the platform is the sandbox's API without Triton.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from clarifai_build.sandbox.endpoints import Endpoints
from conftest import Tool
from support.clones import commit, git
from support.light_platform import INFERENCE, light_platform
from support.odd_store import OddStore, Request, odd_store
from support.trees import weight_of

MIB = 1 << 20
WEIGHT = random.Random(11).randbytes(24 * MIB)
WEIGHTS_BUCKET = "private"


def pass_on(_request: Request) -> None:
    """Let the store answer."""


class Fleet:
    """Machines, each with a home of its own, before one bucket and one platform."""

    def __init__(self, folder: Path, odd: OddStore, environ: dict[str, str], bucket: str) -> None:
        self.folder, self.odd, self.environ, self.bucket = folder, odd, environ, bucket
        self.prefix = f"reuse-{uuid.uuid4().hex[:8]}"
        self.key = f"{self.prefix}/w.bin"

    def manifest(self, model: str, more: str = "") -> bytes:
        """Return a manifest whose weight lies in another bucket of the same store."""
        weight = weight_of("w.bin", f"s3://{WEIGHTS_BUCKET}/{self.key}", WEIGHT)
        return (
            f"model: {{id: {model}, type: text-to-text}}\n"
            f"weights: [{{to: w.bin, from: '{weight.source}', sha256: {weight.sha256}}}]\n"
            f"storage: {{bucket: {self.bucket}, prefix: {self.prefix}, region: us-east-1, "
            f"endpoint_url: '{self.odd.endpoint}'{more}}}\n"
        ).encode()

    def clone(self, source: Path, name: str) -> Machine:
        """Clone a repository to a machine that has nothing else."""
        git(self.folder, "clone", "-q", str(source), name)
        return Machine(self, self.folder / name)


class Machine:
    """A folder and a home. What its last command asked of the store stands in `asked`."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self.fleet, self.folder = fleet, folder
        home = folder.with_name(f"{folder.name}-home")
        home.mkdir()
        self.environ = {**fleet.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
        self.asked: list[Request] = []

    def run(self, *arguments: str, code: int = 0) -> Any:
        """Run a command on the model, which ends with a code; return its JSON."""
        self.fleet.odd.asked.clear()
        done = subprocess.run(
            [sys.executable, "-m", "clarifai_build", *arguments, str(self.folder), "--json"],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stderr
        self.asked = list(self.fleet.odd.asked)
        return json.loads(done.stdout)

    @property
    def read(self) -> int:
        """How many bytes of the weight and of zips were asked for."""
        return sum(map(_length, filter(_is_content, self.asked)))

    @property
    def sent(self) -> int:
        """How many bytes of bodies went to the store."""
        return sum(int(request.headers.get("content-length", 0)) for request in self.asked)

    @property
    def copies(self) -> int:
        """How many parts were copied at the store."""
        return sum("x-amz-copy-source" in request.headers for request in self.asked)


def _is_content(request: Request) -> bool:
    path = urlsplit(request.path).path
    return request.method == "GET" and path.endswith((".zip", "/w.bin"))


def _length(request: Request) -> int:
    """Return how long a range is; one without an end is all of it."""
    first, _, last = request.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")
    return int(last) - int(first) + 1 if last else len(WEIGHT) - int(first)


@pytest.fixture
def fleet(tool: Tool, sandbox: Endpoints, tmp_path: Path) -> Iterator[Fleet]:
    """A store that holds a weight, and a platform that knows nothing yet."""
    (tmp_path / "platform").mkdir()
    with (
        light_platform(tmp_path / "platform") as platform,
        odd_store(sandbox.s3_endpoint, pass_on) as odd,
    ):
        environ = {**tool.environ, **platform.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
        environ.pop("AWS_ENDPOINT_URL_S3", None)
        made = Fleet(tmp_path, odd, environ, sandbox.bucket)
        client = boto3.client(
            "s3",
            endpoint_url=sandbox.s3_endpoint,
            aws_access_key_id=sandbox.access_key,
            aws_secret_access_key=sandbox.secret_key,
            region_name="us-east-1",
        )
        client.put_object(Bucket=WEIGHTS_BUCKET, Key=made.key, Body=WEIGHT)
        yield made


def first_machine(fleet: Fleet) -> Machine:
    """Return a machine whose repository holds the model."""
    folder = fleet.folder / "one"
    files = {"clarifai.yaml": fleet.manifest("lines"), "inference.py": INFERENCE.encode()}
    folder.mkdir()
    commit(folder, files)
    return Machine(fleet, folder)


SOME = 11 * MIB
"""More than two parts of the least size, with what goes around them; less than half a weight."""


def test_three_machines_move_nothing_twice(fleet: Fleet) -> None:
    """One reads the weight; one changes a line without it; one proves what the other published."""
    one = first_machine(fleet)
    one.run("apply")
    assert len(WEIGHT) <= one.read < len(WEIGHT) + SOME
    # The weight is in the store already: what is sent is what is around it.
    assert one.copies > 0
    assert one.sent < SOME

    two = fleet.clone(one.folder, "two")
    assert two.run("apply")["models"][0]["actions"] == []
    assert (two.read, two.sent, two.copies) == (0, 0, 0)

    commit(two.folder, {"inference.py": INFERENCE.encode() + b"# a line more\n"})
    assert two.run("apply")["models"][0]["actions"] != []
    assert two.copies > 0
    assert two.sent + two.read < 2 * SOME

    three = fleet.clone(two.folder, "three")
    told = three.run("verify", "--require-sha256", code=1)["models"][0]
    assert [check["name"] for check in told["checks"] if not check["ok"]] == ["sha256"]
    assert three.run("verify")["models"][0]["ok"]
    assert three.run("verify", "--require-sha256")["models"][0]["ok"]
    assert fleet.clone(two.folder, "four").run("apply")["models"][0]["actions"] == []


def test_a_new_model_of_a_verified_weight_needs_no_content(fleet: Fleet) -> None:
    """Whoever verified it; the record says where it lies."""
    first_machine(fleet).run("apply")
    folder = fleet.folder / "new"
    folder.mkdir()
    (folder / "clarifai.yaml").write_bytes(fleet.manifest("words"))
    (folder / "inference.py").write_text(INFERENCE)
    new = Machine(fleet, folder)
    new.run("apply")
    assert new.copies > 0
    assert new.sent + new.read < 2 * SOME
    assert new.run("verify")["models"][0]["ok"]


def test_who_reuses_nothing_reads_and_sends_everything(fleet: Fleet) -> None:
    """`storage.reuse: never`: then the zip's SHA-256 is on record from the beginning."""
    one = first_machine(fleet)
    one.run("apply")
    two = fleet.clone(one.folder, "two")
    (two.folder / "clarifai.yaml").write_bytes(fleet.manifest("lines", ", reuse: never"))
    (two.folder / "inference.py").write_text(INFERENCE + "# a line more\n")
    two.run("apply")
    assert two.read >= len(WEIGHT)
    assert two.copies == 0
    assert two.sent > len(WEIGHT)
    assert two.run("verify", "--require-sha256")["models"][0]["ok"]
