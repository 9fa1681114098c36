"""The cache of weights: what can't be written, what goes away, and who else fetches."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from clarifai_build.cancellation import CancelToken
from clarifai_build.cli import cache_entries
from clarifai_build.errors import ArtifactError
from clarifai_build.manifest.types import Manifest
from clarifai_build.progress import Event, no_progress
from clarifai_build.weights.locate import locate
from support.fetched import CONTENT, one_weight, problem_of, weights_in
from support.scripted_web import Asked, web
from support.trees import manifest_of, weight_of

FETCH_LITTLE = """
import resource, sys
from pathlib import Path
from clarifai_build.manifest.types import Weight
from clarifai_build.errors import BuilderError
from clarifai_build.weights.locate import locate
from support.trees import manifest_of
resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, 2 << 20))
try:
    locate(manifest_of(Path(sys.argv[1]), (Weight("w", *sys.argv[2:]),)))
except BuilderError as error:
    for told in error.problems[0][:3]:
        print(told)
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment with a cache folder of its own."""
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest.mark.parametrize("place", ["/proc/nope", "file", "folder in its place"])
def test_a_cache_that_can_not_be_written_is_named(
    place: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    """Before anything is fetched, with a way out."""
    with web(lambda asked, _: asked.send(CONTENT)) as server:
        manifest = one_weight(tmp_path, server.url)
        cache = Path(environ["XDG_CACHE_HOME"])
        if place == "file":
            cache.write_text("")
        elif place == "folder in its place":
            (cache / "clarifai-build" / "weights" / manifest.weights[0].sha256).mkdir(parents=True)
        else:
            environ = {"XDG_CACHE_HOME": place}
        with pytest.raises(ArtifactError) as raised:
            locate(manifest, environ=environ)
        assert server.requests == 0
    (problem,) = raised.value.problems
    assert problem.code == "unwritable"
    assert str(problem.file).startswith(environ["XDG_CACHE_HOME"])
    assert "XDG_CACHE_HOME" in (problem.hint or "")


def test_a_full_disk_is_not_blamed_on_the_server(tmp_path: Path, environ: dict[str, str]) -> None:
    """It is told at once, with the name of the file; nothing is asked for again."""
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    with web(lambda asked, _: asked.send(CONTENT)) as server:
        weight = weight_of("w", server.url, CONTENT)
        command = [sys.executable, "-c", FETCH_LITTLE, str(tmp_path), weight.source, weight.sha256]
        done = subprocess.run(
            command, env=os.environ | environ | paths, capture_output=True, text=True
        )
        assert server.requests == 1
    code, message, file = done.stdout.splitlines()
    assert (code, Path(file).name) == ("unwritable", weight.sha256)
    assert f"{file} can't be written: File too large" in message


class Held:
    """A server that stops after 1 MiB of its first answer until the test lets it go on."""

    def __init__(self, first: bytes = CONTENT) -> None:
        self.first = first
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, asked: Asked, number: int) -> None:
        if number > 1:
            asked.send(CONTENT)
            return
        asked.send(self.first, cut=1 << 20)
        self.begun.set()
        self.go_on.wait(30)
        asked.wfile.write(self.first[1 << 20 :])


class Fetch(threading.Thread):
    """A fetch in a thread of its own."""

    def __init__(self, manifest: Manifest, environ: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.manifest, self.environ = manifest, environ
        self.error: BaseException | None = None
        self.cancel = CancelToken()
        self.start()

    def run(self) -> None:
        try:
            locate(self.manifest, no_progress, self.environ, cancel=self.cancel)
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            self.error = error

    def ended(self, seconds: float = 30) -> BaseException | None:
        """Wait until it ended, and return what it raised."""
        self.join(seconds)
        assert not self.is_alive()
        return self.error


@pytest.mark.parametrize("by", ["prune", "hand"])
def test_a_fetch_under_way_survives_what_is_removed(
    by: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    """`cache prune` leaves it alone; without its name, even without its folder, it still ends."""
    held = Held()
    with web(held) as server:
        fetch = Fetch(one_weight(tmp_path, server.url), environ)
        assert held.begun.wait(30)
        (partial,) = weights_in(environ)
        while not partial.stat().st_size:
            time.sleep(0.01)
        if by == "prune":
            assert cache_entries.prune(0, environ) == []
        else:
            partial.unlink()
            partial.parent.rmdir()
        held.go_on.set()
        assert fetch.ended() is None
        assert server.requests == 1
    (found,) = weights_in(environ)
    assert found.read_bytes() == CONTENT


def test_what_a_fetch_left_is_pruned(tmp_path: Path, environ: dict[str, str]) -> None:
    """As nobody is writing to it any more."""
    with web(lambda asked, _: asked.send(CONTENT, cut=1 << 20 if not asked.start else 0)) as server:
        problem_of(one_weight(tmp_path, server.url), environ)
    assert [file.size for file in cache_entries.prune(0, environ)] == [1 << 20]
    assert weights_in(environ) == []


@pytest.mark.parametrize("first", [CONTENT, CONTENT[::-1]])
def test_who_waited_for_another_fetch_goes_on_from_its_end(
    first: bytes, tmp_path: Path, environ: dict[str, str]
) -> None:
    """Where that brought the weight, it is there; where it was a mismatch, it is fetched."""
    held = Held(first)
    with web(held) as server:
        manifest = one_weight(tmp_path, server.url)
        one = Fetch(manifest, environ)
        assert held.begun.wait(30)
        other = Fetch(manifest, environ)
        time.sleep(0.3)  # until it waits
        held.go_on.set()
        assert other.ended() is None
        assert (one.ended() is None) == (first == CONTENT)
        assert server.requests == (1 if first == CONTENT else 2)
    (found,) = weights_in(environ)
    assert found.read_bytes() == CONTENT


def test_a_fetch_is_cancelled_while_the_server_hangs(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    """At once, though nothing arrives; and what is empty does not stay."""
    asked_for, let_go = threading.Event(), threading.Event()

    def hang(_asked: Asked, _number: int) -> None:
        asked_for.set()
        let_go.wait(30)

    with web(hang) as server:
        fetch = Fetch(one_weight(tmp_path, server.url), environ)
        assert asked_for.wait(30)
        fetch.cancel.cancel()
        assert isinstance(fetch.ended(5), KeyboardInterrupt)
        assert weights_in(environ) == []
        let_go.set()


def test_progress_is_bytes_and_a_line_a_weight(tmp_path: Path, environ: dict[str, str]) -> None:
    """Together over all weights, and told by the thread that waits."""
    events: list[Event] = []
    threads = set()
    contents = {"/a.bin": CONTENT, "/b.bin": CONTENT[1:]}

    def progress(event: Event) -> None:
        events.append(event)
        threads.add(threading.current_thread())

    def slowly(asked: Asked, _number: int) -> None:
        content = contents[asked.path]
        asked.send(content, cut=2 << 20)
        time.sleep(0.3)
        asked.wfile.write(content[2 << 20 :])

    with web(slowly) as server:
        weights = [weight_of(to[1:], server.url + to, data) for to, data in contents.items()]
        locate(manifest_of(tmp_path, tuple(weights)), progress, environ)
    assert threads == {threading.current_thread()}
    assert {event.stage for event in events} == {"weights"}
    lines = [(event.state, event.message) for event in events if event.message]
    assert sorted(lines) == [
        ("done", f"a.bin is there, {len(CONTENT)} bytes"),
        ("done", f"b.bin is there, {len(CONTENT) - 1} bytes"),
    ]
    moved = [event for event in events if event.state == "running"]
    total = 2 * len(CONTENT) - 1
    assert any(0 < (event.done or 0) < total == event.total for event in moved)
    assert (moved[-1].done, moved[-1].total) == (total, total)
