"""Fetching a weight: resumed where a fetch broke off, verified while it streams, kept by digest."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from clarifai_build.errors import ArtifactError, BuilderError, SourceError, cannot_write
from clarifai_build.source.content_checks import is_pointer
from clarifai_build.util.urls import redact_url
from clarifai_build.weights import part_file
from clarifai_build.weights.content_checks import mismatch, pointer_weight
from clarifai_build.weights.remote.opener import open_remote
from clarifai_build.weights.remote.stream import BLOCK
from clarifai_build.weights.source_object import Pieces

if TYPE_CHECKING:
    from clarifai_build.manifest.types import Storage, Weight

_ATTEMPTS = 4
"""Attempts in a row that bring no new byte before the fetch fails."""


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches into a folder in which each file is named by its SHA-256.

    `note` is called in the thread that fetches, with how many bytes of a weight are there, and of
    how many, where that is known.
    """

    folder: Path
    storage: Storage | None
    environ: Mapping[str, str]
    note: Callable[[Weight, int, int | None], None]
    stop: threading.Event = field(default_factory=threading.Event)
    held: dict[Path, BinaryIO] = field(default_factory=dict)

    def fetch(self, weight: Weight) -> int:
        """Fetch one weight, and return its size. What does not match its digest is removed."""
        target = self.folder / weight.sha256
        path = self.folder / f"{weight.sha256}{part_file.SUFFIX}"
        try:
            # `finish` could not replace it, after all had been fetched.
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            with part_file.alone(path) as stream:
                self.held[path] = stream
                # Another process was first, while this one waited for the lock.
                if target.is_file():
                    stream.truncate(0)
                    return target.stat().st_size
                self._fill(weight, stream)
                return part_file.finish(stream, path, target)
        except InterruptedError:
            raise
        except OSError as exc:
            raise _unwritable(target, exc) from exc
        finally:
            self.held.pop(path, None)

    def close(self) -> None:
        """Stop, and leave no empty file of a fetch whose server has sent nothing yet."""
        self.stop.set()
        for path, stream in tuple(self.held.items()):
            with suppress(OSError, ValueError):  # its thread may close it just now
                part_file.drop_empty(stream, path)

    def _fill(self, weight: Weight, stream: BinaryIO) -> None:
        """Continue what `stream` holds; if the pieces do not match, begin once more from nothing.

        What does not match then is removed.
        """
        found, in_pieces = self._stream(weight, stream)
        # The source may have changed between the pieces.
        if found != weight.sha256 and in_pieces:
            stream.truncate(0)
            found, _ = self._stream(weight, stream)
        if found != weight.sha256:
            stream.seek(0)
            start = stream.read(BLOCK)
            stream.truncate(0)
            Pieces(self.folder / weight.sha256).drop()
            raise _mismatch(weight, found, start)

    def _stream(self, weight: Weight, stream: BinaryIO) -> tuple[str, bool]:
        """Fetch what is missing; return the SHA-256, and whether it came in more than one go."""
        sha256 = hashlib.sha256()
        stream.seek(0)
        while block := stream.read(BLOCK):
            sha256.update(block)
        in_pieces, failures = stream.tell() > 0, 0
        pieces = Pieces(self.folder / weight.sha256)
        while True:
            done = stream.tell()
            try:
                for block in self._blocks(weight, done, pieces):
                    stream.write(block)
                    sha256.update(block)
                return sha256.hexdigest(), in_pieces
            except ConnectionError as exc:
                in_pieces = stream.tell() > 0
                failures = 0 if stream.tell() > done else failures + 1
                if failures == _ATTEMPTS:
                    raise _unreachable(weight, exc, in_pieces) from exc
            # Seconds: 1/8 after one that brought something, at most 1 before the last attempt.
            self.stop.wait(2**failures / 8)
            self._heed()

    def _blocks(self, weight: Weight, offset: int, pieces: Pieces) -> Iterator[bytes]:
        remote = open_remote(weight.source, offset, self.storage, self.environ)
        pieces.add(remote.source, offset)
        done = offset
        self.note(weight, done, remote.size)
        for block in remote.blocks:
            self._heed()
            yield block
            done += len(block)
            self.note(weight, done, remote.size)
        if remote.size is not None and done < remote.size:
            raise ConnectionError(f"the connection ended after {done} of {remote.size} bytes")

    def _heed(self) -> None:
        if self.stop.is_set():
            raise InterruptedError


def _mismatch(weight: Weight, found: str, start: bytes) -> BuilderError:
    if is_pointer(start):
        return SourceError(pointer_weight(weight))
    return SourceError(mismatch(weight, found, fetched=True))


def _unreachable(weight: Weight, exc: ConnectionError, kept: bool) -> BuilderError:
    return SourceError.of(
        "weight-unreachable",
        f"the weight {redact_url(weight.source)} can't be fetched: {exc}",
        file=redact_url(weight.source),
        hint="what has arrived is kept, and the next run goes on from there"
        if kept
        else "check the address and the network, then run again",
    )


def _unwritable(target: Path, exc: OSError) -> BuilderError:
    hint = "fix its permissions or make room, or name another folder in XDG_CACHE_HOME"
    return ArtifactError(cannot_write(target, exc, kind="the cache file", hint=hint))
