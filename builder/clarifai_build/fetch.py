"""Fetching weights: resumed where a fetch broke off, verified while they stream, kept by digest."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from clarifai_build.addresses import shown
from clarifai_build.problem import SourceError
from clarifai_build.progress import Event, Listener
from clarifai_build.remote import open_remote

if TYPE_CHECKING:
    from clarifai_build.manifest import Storage, Weight

_BLOCK = 1 << 20
_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches into a folder in which each file is named by its SHA-256."""

    folder: Path
    storage: Storage | None
    environ: Mapping[str, str]
    listen: Listener
    stop: threading.Event = field(default_factory=threading.Event)

    def fetch(self, weight: Weight) -> Path:
        """Fetch one weight. What does not match its digest is removed."""
        target = self.folder / weight.sha256
        partial = self.folder / f"{weight.sha256}.part"
        self.folder.mkdir(parents=True, exist_ok=True)
        with partial.open("ab+") as stream:
            _lock(stream)
            if not target.is_file():
                self._fill(weight, stream)
                os.fsync(stream.fileno())
                partial.replace(target)
                target.chmod(0o444)
            elif partial.exists():
                partial.unlink()
        return target

    def _fill(self, weight: Weight, stream: BinaryIO) -> None:
        """Continue what `stream` holds; if that turns out wrong, begin once more from nothing."""
        resumed = stream.seek(0, os.SEEK_END) > 0
        found = self._stream(weight, stream)
        if found != weight.sha256 and resumed:
            stream.truncate(0)
            found = self._stream(weight, stream)
        if found != weight.sha256:
            stream.truncate(0)
            (self.folder / f"{weight.sha256}.part").unlink(missing_ok=True)
            raise SourceError.of(
                "weight-mismatch",
                f"the weight {shown(weight.source)} has SHA-256 {found}, the manifest says "
                f"{weight.sha256}; nothing was kept",
                file=shown(weight.source),
                hint="correct `sha256` if the new file is the one you mean",
            )

    def _stream(self, weight: Weight, stream: BinaryIO) -> str:
        sha256 = hashlib.sha256()
        stream.seek(0)
        while block := stream.read(_BLOCK):
            sha256.update(block)
        for attempt in range(_ATTEMPTS):
            done = stream.seek(0, os.SEEK_END)
            try:
                for block in self._blocks(weight, done):
                    stream.write(block)
                    sha256.update(block)
                break
            except OSError as exc:
                moved = stream.tell() > done
                if attempt == _ATTEMPTS - 1 and not moved:
                    raise _unreachable(weight, exc) from exc
                self.stop.wait(2**attempt / 4)
        stream.flush()
        return sha256.hexdigest()

    def _blocks(self, weight: Weight, offset: int) -> Iterator[bytes]:
        remote = open_remote(weight.source, offset, self.storage, self.environ)
        done = offset
        for block in remote.blocks:
            if self.stop.is_set():
                raise InterruptedError
            yield block
            done += len(block)
            self.listen(Event("weights", "running", weight.to, done, remote.size))
        if remote.size is not None and done < remote.size:
            raise ConnectionError(f"the connection ended after {done} of {remote.size} bytes")


def _unreachable(weight: Weight, exc: OSError) -> Exception:
    return SourceError.of(
        "weight-unreachable",
        f"the weight {shown(weight.source)} can't be fetched: {exc}",
        file=shown(weight.source),
        hint="what has arrived is kept, and the next run goes on from there",
    )


def _lock(stream: BinaryIO) -> None:
    """Let one process fetch while others wait; Windows has no such lock, and needs none here."""
    if os.name == "posix":
        import fcntl

        fcntl.flock(stream, fcntl.LOCK_EX)
