"""Digests of files: how many threads take them."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from clarifai_build.artifact.layout import gather
from clarifai_build.digests import files
from clarifai_build.source.content_checks import RULES, ContentRules
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
    assert 1 <= len(seen) <= 8
