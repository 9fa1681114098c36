"""What a build and a runner's process wrote, line by line, kept as long as their version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clarifai_build.util.small_files import read_end

# Of a process that writes without end, the last lines are shown.
MOST_BYTES = 4 << 20


class Log:
    """A file to which lines are added."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self) -> Callable[[str], None]:
        """Empty the log, and return what adds a line to it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_bytes(b"")
        return self.add

    def add(self, line: str) -> None:
        """Add a line."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(" ".join(line.splitlines()) + "\n")

    def lines(self) -> list[str]:
        """Return the lines that are whole."""
        try:
            text = read_end(self._path, MOST_BYTES)
        except OSError:
            return []
        return text[: text.rfind("\n") + 1].splitlines()
