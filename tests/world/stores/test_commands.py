"""Commands against odd stores, and after others that were killed or stopped on the way."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.command_line import World, command, ended
from support.light_platform import INFERENCE
from support.memory_s3 import HANG_UP, Answer, Request, error
from support.worlds import _descriptions, home, world

__all__ = ["_descriptions", "home", "world"]

LARGE = 17 << 20
DAYS = 8 * 24 * 3600.0


def test_a_large_model_goes_to_a_store_that_knows_no_checksums_of_parts(world: World) -> None:
    """As Swift: it calls a completion malformed that names more of a part than number and ETag."""
    world.bucket.strict, world.bucket.checksums = True, False
    manifest = world.model()
    (manifest.parent / "weights.bin").write_bytes(bytes(LARGE))
    ran = ended("apply", manifest)
    assert (ran.code, ran.err if ran.code else "") == (0, "")
    (key,) = world.zips()
    assert len(world.bucket.objects[key].body) > LARGE


def unconditional(request: Request) -> Answer | None:
    """Pass over conditions, as stores do that have never heard of them."""
    assert isinstance(request.headers, dict)
    for name in ("if-match", "if-none-match"):
        request.headers.pop(name, None)
    return None


def refusing(request: Request) -> Answer | None:
    """Refuse conditions."""
    return error(501, "NotImplemented") if "if-none-match" in request.headers else None


@pytest.mark.parametrize("conditions", [unconditional, refusing])
def test_gc_does_not_succeed_where_it_removes_nothing(
    world: World, conditions: Callable[[Request], Answer | None]
) -> None:
    """What it listed, and was told to remove, is still there."""
    command("apply", world.model())
    command("apply", world.model(code=INFERENCE + "# changed\n"))
    world.registry.delete_version("lines", world.registry.versions("lines")[-1].id)
    for found in world.bucket.objects.values():
        found.grow_older(DAYS)
    before, world.bucket.before = world.zips(), conditions
    ran = ended("gc", "lines/clarifai.yaml", "--yes")
    assert "  - models/" in ran.err
    assert world.zips() == before
    assert (ran.code, "1 artifacts were not removed" in ran.err) == (5, True)


@dataclass
class Signalling:
    """A process that applies, and is sent a signal in the middle of one of its requests."""

    signal: int
    at: Callable[[Request], bool]
    answer: Answer | None
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer | None:
        """Answer a request to the bucket."""
        if self.running and self.at(request):
            self.running.pop().send_signal(self.signal)
            time.sleep(0.2)  # it gets the signal before the answer
            return self.answer
        return None

    def apply(self, world: World, manifest: Path) -> int:
        """Run until it ends; returns how it ended."""
        world.bucket.before = self
        arguments = [sys.executable, "-m", "clarifai_build", "apply", str(manifest)]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(arguments, stdout=quiet, stderr=quiet) as process:
            self.running.append(process)
            code = process.wait(60)
        assert self.running == [], "the request never came"
        return code


def leases(world: World) -> list[str]:
    """Return the keys of the leases in the bucket, once no request is under way."""
    with world.bucket.lock:
        return [key for key in world.bucket.objects if "/.leases/" in key]


def test_an_apply_goes_on_after_one_that_was_killed_on_this_machine(world: World) -> None:
    """It looks whether the holder of the lease still lives."""
    manifest = world.model()
    killed = Signalling(
        signal.SIGKILL, lambda one: bool(leases(world)) and "/.leases/" not in one.key, HANG_UP
    )
    assert killed.apply(world, manifest) == -signal.SIGKILL
    assert len(leases(world)) == 1
    ran = ended("apply", manifest)
    assert (ran.code, ran.err if ran.code else "") == (0, "")
    assert "its process, on this machine, has ended" in ran.err
    assert (world.revisions(), leases(world)) == ([1], [])


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_an_apply_that_is_stopped_while_it_takes_the_lease_leaves_none(
    world: World, name: str
) -> None:
    """The store has made it, and nobody has been told."""
    stopped = Signalling(
        getattr(signal, name), lambda one: one.method == "PUT" and "/.leases/" in one.key, None
    )
    assert stopped.apply(world, world.model()) != 0
    assert leases(world) == []
