"""A store and a platform in memory, and a large weight there that one model's apply has read."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from support.command_line import Ran, World, command, ended
from support.memory_s3 import BUCKET, Request
from support.worlds import _descriptions, home, world

__all__ = ["_descriptions", "home", "world"]

CONTENT = random.Random(3).randbytes(18 << 20)
SOURCE = "data/w.bin"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
RECORD = f"models/.weights/{SHA256}.json"
WEIGHTS = f"weights: [{{to: w.bin, from: 's3://{BUCKET}/{SOURCE}', sha256: '{SHA256}'}}]\n"


@dataclass
class Verified:
    """The store, and a second model of the same weight on a machine that has nothing of it."""

    world: World
    manifest: Path

    def apply(self) -> Ran:
        """Apply the second model on a machine with an empty cache; errors are told."""
        rmtree(self.world.folder.parent / "cache", ignore_errors=True)
        self.world.forget()
        return ended("apply", self.manifest)

    @property
    def record(self) -> bytes:
        return self.world.bucket.objects[RECORD].body

    @property
    def was_read(self) -> bool:
        """Whether the weight was read from its beginning to its end."""
        return any(r.method == "GET" and not _part(r) for r in self._asked(SOURCE))

    @property
    def was_copied(self) -> bool:
        return any("x-amz-copy-source" in r.headers for r in self.world.bucket.asked)

    def published(self) -> bool:
        """Whether the second model's zip lies in the bucket, and holds the weight."""
        found = [key for key in self.world.zips() if "/words_" in key]
        return any(CONTENT in self.world.bucket.objects[key].body for key in found)

    def _asked(self, key: str) -> list[Request]:
        return [request for request in self.world.bucket.asked if request.key == key]


def _part(request: Request) -> bool:
    """Return whether a request asks for a range that ends before the object does."""
    asked: Any = request.headers.get("range", "bytes=0-")
    return not asked.endswith("-")


@pytest.fixture
def verified(world: World) -> Verified:
    """The weight is on record, by the first model; no version of the second one is there."""
    world.bucket.put(SOURCE, CONTENT)
    first = world.model("lines")
    first.write_text(first.read_text() + WEIGHTS)
    command("apply", first)
    second = world.model("words")
    second.write_text(second.read_text() + WEIGHTS)
    return Verified(world, second)
