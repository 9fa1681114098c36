"""Progress on a terminal: a line a stage, a bar where bytes move."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console as RichConsole
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TransferSpeedColumn
from rich.text import Text

from clarifai_build.progress import Event


class Bars:
    """A `ProgressCallback` for any thread. A bar lives from a stage's first bytes to its last."""

    def __init__(self, stream: TextIO) -> None:
        self._console = RichConsole(file=stream)
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._closed = False
        # Uploads report from several threads; rich starts only one live display.
        self._one_at_a_time = threading.Lock()

    def __call__(self, event: Event) -> None:
        with self._alone():
            self._show(event)

    def pause(self) -> None:
        """Take the bars off the terminal; they are back with the next bytes."""
        with self._alone():
            self._take_down()

    def close(self) -> None:
        """Take the bars off the terminal for good."""
        with self._alone():
            self._closed = True
            self._take_down()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._one_at_a_time:
            try:
                yield
            except OSError:  # the terminal is gone; the work goes on
                self._console.quiet = True

    def _show(self, event: Event) -> None:
        if event.total and event.done != event.total and not self._closed:
            self._advance(event)
        if event.state == "done" or event.message or event.done == event.total:
            self._finish(event.stage)
        if event.message:
            self._say(event)

    def _say(self, event: Event) -> None:
        mark = ("✓", "green") if event.state == "done" else ("·", "dim")
        # In one piece: a bar that is up is drawn anew after each.
        line = Text.assemble(mark, " ", (event.stage, "bold"), ": ", event.message)
        self._console.print(line, soft_wrap=True)

    def _advance(self, event: Event) -> None:
        if self._progress is None:
            self._progress = Progress(
                "  {task.description}",
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                console=self._console,
                transient=True,
                # Standard output is for results: rich would write it to the bars' stream.
                redirect_stdout=False,
            )
            self._progress.start()
        if event.stage not in self._tasks:
            self._tasks[event.stage] = self._progress.add_task(
                escape(event.stage), total=event.total
            )
        task = self._tasks[event.stage]
        self._progress.update(task, completed=event.done or 0, total=event.total)

    def _finish(self, stage: str) -> None:
        task = self._tasks.pop(stage, None)
        if self._progress is None or task is None:
            return
        self._progress.remove_task(task)
        if not self._tasks:
            self._take_down()

    def _take_down(self) -> None:
        progress, self._progress = self._progress, None
        self._tasks.clear()
        if progress is None:
            return
        try:
            progress.stop()
        except BaseException:  # a second Ctrl-C, say
            self._console.show_cursor()
            raise
