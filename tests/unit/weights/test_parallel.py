"""Several weights fetched at once: what fails stops no other, and all of it is told."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from clarifai_build.errors import ArtifactError, BuilderError, SourceError
from clarifai_build.manifest.types import Weight
from clarifai_build.progress import Event, no_progress
from clarifai_build.weights import parallel
from clarifai_build.weights.fetcher import Fetcher
from clarifai_build.weights.locate import locate
from clarifai_build.weights.parallel import FetchProgress, fetch_all
from support.scripted_web import web
from support.trees import manifest_of, weight_of

CONTENT = random.Random(9).randbytes(100_000)
A, B = weight_of("a.bin", "http://x/a", b"a"), weight_of("b.bin", "http://x/b", b"bb")


def told(board: FetchProgress) -> list[Event]:
    """Return what a board tells now."""
    events: list[Event] = []
    board.tell(events.append)
    return events


def test_how_far_all_are_is_one_sum() -> None:
    """The total is known once all sizes are."""
    board = FetchProgress([A, B])
    assert told(board) == [Event("weights", "running", done=0, total=None)]
    board.note(A, 5, 10)
    board.note(B, 1, None)
    assert told(board) == [Event("weights", "running", done=6, total=None)]
    board.note(B, 2, 20)
    assert told(board) == [Event("weights", "running", done=7, total=30)]


def test_a_weight_that_is_there_is_told_once() -> None:
    """With its size, which counts from then on."""
    board = FetchProgress([A, B])
    board.note(B, 0, 10)
    board.finish(A, 7)
    assert told(board) == [
        Event("weights", "done", "a.bin is there, 7 bytes"),
        Event("weights", "running", done=7, total=17),
    ]
    assert [event.state for event in told(board)] == ["running"]


def failing(monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> None:
    """Let each fetch end with one of these."""
    left = iter(errors)

    class Failing(Fetcher):
        def fetch(self, weight: Weight) -> int:
            raise next(left)

    monkeypatch.setattr(parallel, "Fetcher", Failing)


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ((SourceError.of("a", "a"), SourceError.of("b", "b")), SourceError),
        ((ArtifactError.of("a", "a"), ArtifactError.of("b", "b")), ArtifactError),
        ((ArtifactError.of("a", "a"), SourceError.of("b", "b")), SourceError),
    ],
)
def test_all_that_fails_is_one_error(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    errors: tuple[BuilderError, ...],
    kind: type[BuilderError],
) -> None:
    """Of their own class where that is the same."""
    failing(monkeypatch, *errors)
    with pytest.raises(kind) as raised:
        fetch_all([A, B], tmp_path, None, no_progress, {})
    assert type(raised.value) is kind
    assert sorted(problem.code for problem in raised.value.problems) == ["a", "b"]


def test_a_bug_comes_out_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is not hidden behind what the user can fix."""
    bug = KeyError("bug")
    failing(monkeypatch, SourceError.of("a", "a"), bug)
    with pytest.raises(KeyError) as raised:
        fetch_all([A, B], tmp_path, None, no_progress, {})
    assert raised.value is bug


def test_one_that_fails_keeps_no_other(tmp_path: Path) -> None:
    """What could be fetched is there afterwards."""
    environ = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    with web(
        lambda asked, _: asked.send(CONTENT) if "good" in asked.path else asked.head(404, {})
    ) as server:
        good = weight_of("good.bin", f"{server.url}/good", CONTENT)
        bad = weight_of("bad.bin", f"{server.url}/bad", b"other")
        with pytest.raises(SourceError, match="404"):
            locate(manifest_of(tmp_path, (bad, good)), environ=environ)
        before = server.requests
        assert len(locate(manifest_of(tmp_path, (good,)), environ=environ)) == 1
        assert server.requests == before
    assert (tmp_path / "cache" / "clarifai-build" / "weights" / good.sha256).read_bytes() == CONTENT


def test_who_listens_ends_all_fetches(tmp_path: Path) -> None:
    """Four are under way, with a server that does not answer; no other begins any more."""
    environ = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    over = threading.Event()

    def end(event: Event) -> None:
        raise KeyboardInterrupt

    with web(lambda asked, _: over.wait()) as server:
        weights = tuple(weight_of(f"{n}.bin", f"{server.url}/{n}", bytes([n])) for n in range(20))
        with pytest.raises(KeyboardInterrupt):
            locate(manifest_of(tmp_path, weights), end, environ)
        assert server.requests <= 4
        over.set()
