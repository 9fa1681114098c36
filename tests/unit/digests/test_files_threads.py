"""Digests of files: how many threads take them, and how an interrupt ends it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clarifai_build.artifact.layout import gather
from clarifai_build.digests import files
from clarifai_build.progress import Event
from clarifai_build.source.content_checks import RULES, ContentRules
from clarifai_build.source.source_file import SourceFile
from support.trees import manifest_of, write_files


def test_many_processors_do_not_mean_many_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each holds a block in memory; no machine with so many processors is at hand."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(64)))
    code = write_files(tmp_path, {f"{n}.bin": bytes([n]) * (1 << 20) for n in range(24)})
    seen = set()

    class Watched(ContentRules):
        def finding(self, _content: bytes) -> str:
            seen.add(threading.get_ident())
            time.sleep(0.02)  # long enough for idle threads to be given work
            return ""

    found = gather({}, manifest_of(code)).found
    of_threads = files.of_files(found, rules=Watched(*RULES)).digests
    assert of_threads == {f.file: files.of_bytes(Path(f.file).read_bytes()) for f in found}
    assert 2 <= len(seen) <= 8


class Interrupted(list[SourceFile]):
    """Files of which the second is not reached: what is to be read is cut short."""

    def __init__(self, found: SourceFile) -> None:
        super().__init__([found])
        self.walks = 0

    def __iter__(self) -> Iterator[SourceFile]:
        self.walks += 1
        yield from super().__iter__()
        if self.walks > 1:  # the first one only adds up sizes
            raise KeyboardInterrupt


def test_an_interrupt_while_work_is_handed_out_ends_it(tmp_path: Path) -> None:
    """What was begun by then is not read to its end."""
    size = 4 * files.CHUNK
    with (tmp_path / "w.bin").open("wb") as file:
        file.truncate(size)
    (found,) = gather({}, manifest_of(tmp_path)).found
    told = [Event("hash", "started", done=0)]
    with pytest.raises(KeyboardInterrupt):
        files.of_files(Interrupted(found), told.append)
    assert max(event.done or 0 for event in told) < size
