"""A live model whose weight lies in the bucket, and machines that have nothing of it yet."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from clarifai_build.registry import RemoteVersion
from support.command_line import World, command
from support.light_platform import INFERENCE
from support.memory_s3 import BUCKET

WEIGHT = random.Random(11).randbytes(300_000)
SOURCE = "weights/w.bin"
DIGEST = hashlib.sha256(WEIGHT).hexdigest()
WEIGHTS = f"weights: [{{to: w.bin, from: 's3://{BUCKET}/{SOURCE}', sha256: '{DIGEST}'}}]\n"


@dataclass
class Live:
    """The model, its manifest, and what was asked of the bucket since the last look."""

    world: World
    manifest: Path

    def empty_cache(self) -> None:
        """Make this another machine: nothing was ever fetched or hashed on it."""
        rmtree(self.cache)

    @property
    def cache(self) -> Path:
        """Where this machine keeps what it fetched."""
        return self.world.folder.parent / "cache"

    def write(self, more: str) -> None:
        """Add to the manifest."""
        self.manifest.write_text(self.manifest.read_text() + more)

    def fetched(self, key: str = SOURCE) -> list[str]:
        """Return the requests that read from an object, or looked at it."""
        return [asked.operation for asked in self.world.bucket.asked if asked.key == key]

    def records(self, suffix: str = ".contents.json") -> list[str]:
        """Return the keys of the records that lie beside zips."""
        return [key for key in self.world.bucket.objects if key.endswith(suffix)]

    @property
    def version(self) -> RemoteVersion:
        """The newest version of the model."""
        return self.world.registry.versions("lines")[0]


def publish(world: World, more: str = WEIGHTS) -> Live:
    """Put the weight in the bucket, publish the model, and empty the cache."""
    world.bucket.put(SOURCE, WEIGHT)
    live = Live(world, world.model(code=INFERENCE))
    live.write(more)
    command("apply", live.manifest)
    live.empty_cache()
    world.forget()
    return live
