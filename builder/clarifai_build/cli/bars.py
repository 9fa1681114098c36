"""Progress on a terminal: a line a stage, a bar where bytes move."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console as RichConsole
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TransferSpeedColumn

from clarifai_build.progress import Event


class Bars:
    """A progress `Listener`. A bar lives from a stage's first bytes to its last."""

    def __init__(self, stream: TextIO) -> None:
        self._console = RichConsole(file=stream)
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __call__(self, event: Event) -> None:
        if event.total:
            self._advance(event)
        if event.state == "done" or event.message:
            self._close()
        if event.message:
            mark = "[green]✓[/]" if event.state == "done" else "[dim]·[/]"
            self._console.print(f"{mark} [bold]{event.stage}[/]: ", end="")
            self._console.print(event.message, markup=False, highlight=False)

    def _advance(self, event: Event) -> None:
        if self._progress is None or self._task is None:
            self._progress = Progress(
                "  {task.description}",
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                console=self._console,
                transient=True,
            )
            self._task = self._progress.add_task(event.stage, total=event.total)
            self._progress.start()
        self._progress.update(self._task, completed=event.done or 0, total=event.total)

    def _close(self) -> None:
        if self._progress is not None:
            self._progress.stop()
        self._progress = self._task = None
