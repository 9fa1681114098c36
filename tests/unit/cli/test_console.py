"""The two streams: data, prose, failures in the form asked for, and readers that go away."""

from __future__ import annotations

import gc
import io
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.cli.console import Console
from clarifai_build.cli.main import guarded
from clarifai_build.cli.tables import error_json, report_errors, table
from clarifai_build.errors import BuilderError, ManifestError, Problem, StorageError
from clarifai_build.progress import Event

TWO = ManifestError(
    Problem("one", "first", file="a.yaml", line=3), Problem("two", "second", file="a.yaml")
)


class Streams:
    """A console over memory."""

    def __init__(self) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.console = Console(self.out, self.err)


class TerminalStream(io.StringIO):
    """A stream at which somebody sits."""

    def isatty(self) -> bool:
        return True


def test_data_and_prose_are_kept_apart() -> None:
    """Each on its stream, a line at a time; JSON is sorted."""
    streams = Streams()
    streams.console.out("data")
    streams.console.err("prose")
    streams.console.json({"b": 1, "a": 2})
    assert streams.out.getvalue() == 'data\n{\n  "a": 2,\n  "b": 1\n}\n'
    assert streams.err.getvalue() == "prose\n"


def test_a_failure_is_prose_unless_json_is_asked_for() -> None:
    """As JSON, the first problem is the error; others stand beside it only where there are some."""
    streams = Streams()
    streams.console.failure(TWO)
    assert streams.out.getvalue() == ""
    assert "first" in streams.err.getvalue()
    assert "second" in streams.err.getvalue()
    streams = Streams()
    streams.console.json_errors = True
    streams.console.failure(TWO)
    told = json.loads(streams.out.getvalue())
    assert (told["error"]["code"], told["error"]["line"]) == ("one", 3)
    assert [one["code"] for one in told["others"]] == ["two"]
    assert streams.err.getvalue() == ""
    streams = Streams()
    streams.console.json_errors = True
    streams.console.failure(StorageError.of("one", "first"))
    assert set(json.loads(streams.out.getvalue())) == {"error"}


def test_colours_are_for_terminals_that_know_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR and dumb terminals have none."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    console = Console(io.StringIO(), TerminalStream())
    assert console.colour
    assert not Console(TerminalStream(), io.StringIO()).colour
    monkeypatch.setenv("TERM", "dumb")
    assert not console.colour
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "")
    assert not console.colour


@pytest.mark.parametrize(
    ("typed", "shown", "interactive"),
    [
        (TerminalStream(), TerminalStream(), True),
        (io.StringIO(), TerminalStream(), False),
        (TerminalStream(), io.StringIO(), False),
        (None, TerminalStream(), False),
    ],
)
def test_somebody_can_be_asked_at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, typed: Any, shown: io.StringIO, interactive: bool
) -> None:
    """Who sees the question must be able to answer it."""
    monkeypatch.setattr(sys, "stdin", typed)
    assert Console(io.StringIO(), shown).interactive is interactive


def test_progress_is_lines_without_a_terminal() -> None:
    """Only what has words, with the time so far."""
    streams = Streams()
    progress = streams.console.progress()
    progress(Event("upload", "running", done=1, total=2))
    progress(Event("upload", "done", "there"))
    (line,) = streams.err.getvalue().splitlines()
    assert line.startswith("[")
    assert line.endswith("s] upload: there")


def test_progress_on_a_terminal_is_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    """One set of them for all stages, which makes way for lines."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    shown = TerminalStream()
    console = Console(io.StringIO(), shown)
    progress = console.progress()
    progress(Event("upload", "started", total=100))
    console.progress()(Event("upload", "running", done=50, total=100))
    console.err("prose")
    console.out("data")
    progress(Event("upload", "done", done=100, total=100))
    console.close()
    assert "prose\n" in shown.getvalue()


def pipe_without_reader() -> Any:
    """Return a stream that nobody reads any more."""
    read, write = os.pipe()
    os.close(read)
    return os.fdopen(write, "w")


def test_who_no_longer_reads_is_no_failure() -> None:
    """What is written from then on is dropped, and the command knows."""
    with pipe_without_reader() as out:
        console = Console(out, io.StringIO())
        assert console.heard
        console.out("x" * 100_000)
        console.flush()
        assert not console.heard
        console.out("more")
        console.flush()


def test_prose_that_nobody_reads_is_dropped() -> None:
    """The work goes on."""
    with pipe_without_reader() as err:
        console = Console(io.StringIO(), err)
        console.err("x")
        console.err("y")


def test_output_that_can_not_be_written_is_a_failure() -> None:
    """A full disk, for one: whoever reads the file must not take it for whole."""
    with Path("/dev/full").open("w") as full:
        console = Console(full, io.StringIO())
        console.json_errors = True
        console.out("x")
        with pytest.raises(BuilderError) as raised:
            console.flush()
        assert raised.value.problems[0].code == "output"
        assert not console.json_errors


def test_columns_are_as_wide_as_they_need_to_be() -> None:
    """Without spaces at the end of a line."""
    rows = [("a", "bcd", ""), ("ef", "g", "h")]
    assert table(("X", "Y", "Z"), rows) == "X   Y    Z\na   bcd\nef  g    h"


def test_errors_of_manifests_are_told_with_their_names() -> None:
    """Of one that names a file that is enough; of many, each has a head."""
    streams = Streams()
    report_errors({"m": TWO}, streams.console)
    assert "m:" not in streams.err.getvalue().splitlines()
    streams = Streams()
    report_errors({"m": StorageError.of("c", "gone")}, streams.console)
    assert streams.err.getvalue().splitlines()[0] == "m:"
    streams = Streams()
    report_errors({"m": TWO, "n": TWO}, streams.console)
    assert {"m:", "n:"} <= set(streams.err.getvalue().splitlines())
    told = error_json("m", TWO)
    assert (told["manifest"], told["error"]["code"]) == ("m", "one")
    assert [one["code"] for one in told["others"]] == ["two"]


def test_streams_that_are_closed_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command may run without any."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    console = Console.standard()
    console.out("data")
    console.err("prose")
    for stream in (sys.stdout, sys.stderr):
        assert stream is not None
        stream.close()


def test_guarded_is_what_it_is_given() -> None:
    """A test's own thread hears no signals: what a command returns or raises is its exit code."""
    codes: list[int] = []

    def fail(error: BaseException) -> Any:
        def run(_: Console) -> int:
            raise error

        return run

    def work() -> None:
        codes.append(guarded(lambda _: 2))
        codes.append(guarded(fail(StorageError.of("c", "gone"))))
        codes.append(guarded(fail(KeyboardInterrupt())))

    threshold = gc.get_threshold()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    gc.set_threshold(*threshold)  # a command sets it for its whole process
    assert codes == [2, 5, 130]
