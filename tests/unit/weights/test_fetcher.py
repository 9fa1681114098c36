"""One weight fetched: what ends it, and what is said of another content."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.errors import SourceError
from clarifai_build.manifest.types import Weight
from clarifai_build.weights.fetcher import Fetcher
from support.scripted_web import Asked, web
from support.trees import weight_of

CONTENT = b"weights"


def ignore(_weight: Weight, _done: int, _total: int | None) -> None:
    """Take note of nothing."""


def serve(asked: Asked, _number: int) -> None:
    """Answer with the content."""
    asked.send(CONTENT)


def test_a_fetcher_that_is_closed_fetches_nothing_more(tmp_path: Path) -> None:
    """A fetch ends at its next block then, and what it has is not taken for the weight."""
    fetcher = Fetcher(tmp_path, None, {}, ignore)
    with web(serve) as server:
        weight = weight_of("w.bin", f"{server.url}/w", CONTENT)
        fetcher.close()
        with pytest.raises(InterruptedError):
            fetcher.fetch(weight)
    assert not (tmp_path / weight.sha256).exists()


def test_another_content_is_not_kept_and_that_is_said(tmp_path: Path) -> None:
    """There is nothing to remove from the cache, so that is not advised."""
    fetcher = Fetcher(tmp_path, None, {}, ignore)
    with web(serve) as server:
        weight = weight_of("w.bin", f"{server.url}/w", b"other")
        with pytest.raises(SourceError) as raised:
            fetcher.fetch(weight)
    (problem,) = raised.value.problems
    assert problem.message.endswith("; nothing was kept")
    assert problem.hint == "correct `sha256` if the new file is the one you mean"
    assert not (tmp_path / weight.sha256).exists()
