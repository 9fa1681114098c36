"""Against the sandbox: a machine with an empty cache learns that nothing is to be done."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clarifai_build.manifest.types import Storage
from clarifai_build.sandbox.endpoints import Endpoints
from clarifai_build.storage.s3_store import open_store
from conftest import Tool
from support.light_platform import INFERENCE
from support.odd_store import OddStore, odd_store

WEIGHT = os.urandom((5 << 20) + 7)
DIGEST = hashlib.sha256(WEIGHT).hexdigest()
MANIFEST = """\
model: {{id: {model}, type: text-to-text}}
weights: [{{to: w.bin, from: s3://{bucket}/{weight}, sha256: {digest}}}]
storage: {{bucket: {bucket}, prefix: kept, endpoint_url: "{endpoint}", region: us-east-1, \
access: {access}}}
"""


@dataclass
class Machines:
    """Checkouts of one model on machines with caches of their own; the store is asked by a proxy
    that writes down what it is asked for."""

    tool: Tool
    proxy: OddStore
    folder: Path
    weight: str

    def run(self, machine: str, *arguments: str, code: int = 0) -> str:
        """Run a command on a machine, which gets its checkout if need be; return all it says."""
        place = self.folder / machine
        if not place.exists():
            shutil.copytree(self.folder / "source", place / "model")
        home = {"HOME": str(place), "XDG_CACHE_HOME": str(place / "cache")}
        done = self.tool(*arguments, cwd=place / "model", **home)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def fetched(self) -> list[str]:
        """Return what was asked of the weight."""
        return [asked.method for asked in self.proxy.asked if self.weight in asked.path]


@pytest.fixture(params=["public", "presigned"])
def machines(
    request: pytest.FixtureRequest, sandbox: Endpoints, tool: Tool, tmp_path: Path
) -> Iterator[Machines]:
    """A model whose weight lies in the bucket that it is published to, live by machine `a`."""
    name = f"kept-{uuid.uuid4().hex[:8]}"
    bucket = sandbox.bucket if request.param == "public" else sandbox.private_bucket
    weight = f"weights/{name}.bin"
    storage = Storage(bucket, endpoint_url=sandbox.s3_endpoint, region=sandbox.region)
    store = open_store(storage, sandbox.environ())
    store.client.put_object(Bucket=bucket, Key=weight, Body=WEIGHT)
    (tmp_path / "source").mkdir()
    with odd_store(sandbox.s3_endpoint, lambda _: None) as proxy:
        text = MANIFEST.format(
            model=name,
            bucket=bucket,
            weight=weight,
            digest=DIGEST,
            endpoint=proxy.endpoint,
            access=request.param,
        )
        (tmp_path / "source" / "clarifai.yaml").write_text(text)
        (tmp_path / "source" / "inference.py").write_text(INFERENCE)
        made = Machines(tool, proxy, tmp_path, weight)
        made.run("a", "apply", "--no-wait")
        proxy.asked.clear()
        yield made


def test_nothing_is_read_of_the_weight_until_it_is_needed(machines: Machines) -> None:
    """A plan, a status and an apply with nothing to do; then a line changes, and all is right."""
    assert "nothing to do" in machines.run("b", "plan", "--detailed-exitcode")
    assert "Synced" in machines.run("b", "status")
    assert "nothing to do" in machines.run("b", "apply", "--no-wait")
    assert machines.fetched() == []
    assert {asked.method for asked in machines.proxy.asked} <= {"GET", "HEAD"}
    code = machines.folder / "b" / "model" / "inference.py"
    code.write_text(f"{INFERENCE}# a comment\n")
    planned = machines.run("b", "plan", "--detailed-exitcode", code=2)
    assert "1/inference.py" in planned
    assert "1/w.bin" not in planned
    # Whether it is still what is on record: a plan that uploads may copy from it.
    assert set(machines.fetched()) == {"HEAD"}
    machines.run("b", "apply", "--no-wait")
    shutil.copytree(machines.folder / "b" / "model", machines.folder / "c" / "model")
    assert "nothing to do" in machines.run("c", "apply", "--no-wait")
    assert not (machines.folder / "c" / "cache" / "clarifai-build" / "weights").exists()
    assert "verified" in machines.run("c", "verify")
