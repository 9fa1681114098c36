"""The two streams: data on stdout; progress, prose and errors on stderr.

Whoever reads a stream may go away, as `head` does: what is written from then on is dropped, and
the work goes on.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from clarifai_build.errors import BuilderError, Problem
from clarifai_build.progress import Event, ProgressCallback
from clarifai_build.util.text import inert, printable, printable_lines
from clarifai_build.util.tokens.variables import secret_values, without_secrets

if TYPE_CHECKING:
    from clarifai_build.cli.progress_bars import Bars


class Console:
    """What a command writes to. With `json_errors`, failures become one JSON object on stdout."""

    def __init__(self, stdout: TextIO, stderr: TextIO) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._bars: Bars | None = None
        self._warnings: list[dict[str, Any]] = []
        self._secrets = secret_values()
        self.json_errors = False
        self.heard = True
        """Whether somebody may still read stdout."""

    @classmethod
    def standard(cls) -> Console:
        """Return the console of this process. What is closed is replaced by the null device."""
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream is None:
                nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - stays open
                setattr(sys, name, nowhere)
            elif isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # the locale may lack characters
        return cls(sys.stdout, sys.stderr)

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked something."""
        return sys.stdin is not None and sys.stdin.isatty() and self._stderr.isatty()

    @property
    def attended(self) -> bool:
        """Whether a person sees stdout, and can answer."""
        return sys.stdin is not None and sys.stdin.isatty() and self._stdout.isatty()

    @property
    def colour(self) -> bool:
        """Whether stderr shows colours (NO_COLOR and dumb terminals do not)."""
        return (
            self._stderr.isatty()
            and "NO_COLOR" not in os.environ
            and os.environ.get("TERM") != "dumb"
        )

    def out(self, line: str, *, with_secrets: bool = False) -> None:
        """Write a line of data; line breaks and controls of the values in it are escaped.

        With `with_secrets`, those of the environment are not masked: they were asked for.
        """
        self.out_lines(printable(line), with_secrets=with_secrets)

    def out_lines(self, text: str, *, with_secrets: bool = False) -> None:
        """Write lines of data likewise, in which the values are escaped already."""
        self._write(inert(printable_lines(text)), with_secrets=with_secrets)

    def commands(self, text: str) -> None:
        """Write lines of our own that a CI service is to obey."""
        self._write(printable_lines(text))

    def _write(self, text: str, *, with_secrets: bool = False) -> None:
        self._pause()
        with self._while_heard():
            print(text if with_secrets else self._safe(text), file=self._stdout)

    def flush(self) -> None:
        """Let whoever reads stdout see what was written so far."""
        with self._while_heard():
            self._stdout.flush()

    def err(self, line: str) -> None:
        """Write a line for people; line breaks and controls of the values in it are escaped."""
        self._tell(inert(printable(line)))

    def _tell(self, text: str) -> None:
        """Write in one piece: several threads may be writing."""
        self._pause()
        try:
            print(f"{self._safe(text)}\n", end="", file=self._stderr, flush=True)
        except OSError:
            _silence(self._stderr)

    def json(self, value: Any, *, with_warnings: bool = True, with_secrets: bool = False) -> None:
        """Write one JSON document to stdout; an object gets the warnings so far, if any."""
        if self._warnings and with_warnings and isinstance(value, dict):
            value = {"warnings": self._warnings, **value}
        text = json.dumps(value, indent=2, sort_keys=True)
        self.out_lines(text, with_secrets=with_secrets)

    def problems(self, problems: Sequence[Problem]) -> None:
        """Write findings for people."""
        from clarifai_build.reports import problems as report

        self._tell(inert(report.text(problems, colour=self.colour)))

    def findings(self, problems: Sequence[Problem]) -> None:
        """Write findings that are what the command was asked for."""
        from clarifai_build.reports import problems as report

        colour = self.colour and self._stdout.isatty()
        self._write(inert(report.text(problems, colour=colour)))

    def failure(self, error: BuilderError) -> None:
        """Say why the command failed, in the form the user asked for."""
        if self.json_errors:
            first, *others = [problem._asdict() for problem in error.problems]
            self.json({"error": first, "others": others} if others else {"error": first})
        else:
            self.problems(error.problems)

    def progress(self) -> ProgressCallback:
        """Return a callback that shows progress as the terminal allows, and keeps warnings."""
        show = self._shown()

        def report(event: Event) -> None:
            if event.warning is None:
                show(self._printable(event))
            else:
                self._warn(event.stage, event.warning)

        return report

    def _warn(self, stage: str, warning: Problem) -> None:
        told = {"stage": stage, **warning._asdict()}
        # A command that looks again and again says it once.
        if told in self._warnings:
            return
        self._warnings.append(told)
        self.problems([warning._replace(message=f"{stage}: {warning.message}")])

    def _shown(self) -> ProgressCallback:
        if not self.colour:
            return _TimedLines(self)
        if self._bars is None:
            from clarifai_build.cli.progress_bars import Bars

            self._bars = Bars(self._stderr)
        return self._bars

    def _printable(self, event: Event) -> Event:
        """Return an event as all else is written: bars are drawn past this console."""
        stage, message = (
            self._safe(inert(printable(text))) for text in (event.stage, event.message)
        )
        return event._replace(stage=stage, message=message)

    def _safe(self, text: str) -> str:
        return without_secrets(text, self._secrets) if self._secrets else text

    def close(self) -> None:
        """Take progress off the terminal for good, however the command ended."""
        if self._bars is not None:
            self._bars.close()

    def _pause(self) -> None:
        """Take bars off the terminal, whose line something else is to be written to."""
        if self._bars is not None:
            self._bars.pause()

    @contextmanager
    def _while_heard(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            self.heard = False
            _silence(self._stdout)
        except OSError as exc:
            _silence(self._stdout)
            self.json_errors = False
            message = f"the output can't be written: {exc.strerror}"
            hint = "make room, or send the output elsewhere; what else was done is done"
            raise BuilderError.of("output", message, hint=hint) from exc


def _silence(stream: TextIO) -> None:
    """Let a stream lead nowhere, what it still buffers included."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class _TimedLines:
    """Progress without a terminal: a line as a stage starts or ends, with the time so far."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._start = time.monotonic()

    def __call__(self, event: Event) -> None:
        if event.message:
            elapsed = time.monotonic() - self._start
            self._console.err(f"[{elapsed:6.1f}s] {event.stage}: {event.message}")
