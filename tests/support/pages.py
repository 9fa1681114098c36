"""The project's pages and the commands they show."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
_BLOCK = re.compile(r"^```(?:console|sh|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"(?:^|\$\(|\s|/)clarifai-build (?P<arguments>[^)|>#\n]*)")


def blocks(page: Path) -> list[list[str]]:
    """Return the commands of each shell block of a page: what follows `$ `, comments cut off."""
    return [
        [line[2:].split("  #")[0].strip() for line in block.splitlines() if line.startswith("$ ")]
        for block in _BLOCK.findall(page.read_text(encoding="utf-8"))
    ]


def calls(page: Path) -> list[list[str]]:
    """Return the arguments of each call of clarifai-build that a page shows."""
    commands = [command for block in blocks(page) for command in block]
    return [
        shlex.split(match["arguments"].rstrip('"'))
        for command in commands
        for match in _CALL.finditer(command)
    ]
