"""What the platform's builder prints, passed on as it comes; its end is kept for a failure."""

from __future__ import annotations

from collections import deque

from clarifai_build.errors import NotAuthorisedError, RegistryError
from clarifai_build.progress import Event, ProgressCallback, no_progress, warn
from clarifai_build.registry.runners.protocol import BuildLog

STAGE = "builder"
# Enough for what pip says of a requirement that it can't install.
_LINES = 20
_LONGEST = 500


class BuildOutput:
    """The output of one build. Without a log, there is none."""

    def __init__(self, log: BuildLog | None, progress: ProgressCallback = no_progress) -> None:
        self._log, self._progress = log, progress
        self._last: deque[str] = deque(maxlen=_LINES)

    def follow(self) -> None:
        """Pass on what is new. A log that can't be read is a warning: the build goes on."""
        if self._log is None:
            return
        try:
            for line in self._log.new_lines():
                self._last.append(line[:_LONGEST])
                self._progress(Event(STAGE, "running", line))
        except (RegistryError, NotAuthorisedError) as error:
            self._log = None
            words = f"the log of the build can't be read: {error}"
            warn(self._progress, error.problems[0].code, words, stage=STAGE)

    @property
    def tail(self) -> str:
        """The last lines, or nothing."""
        return "\n".join(self._last)


NO_OUTPUT = BuildOutput(None)
"""Of a build that has no log."""
