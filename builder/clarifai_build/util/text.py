"""Text: lines as YAML counts them, sizes, digests and untrusted text for people."""

from __future__ import annotations

import re
import unicodedata

# Bidirectional controls: with them, text reads otherwise than it is (CVE-2021-42574).
_DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

# YAML 1.1's line breaks, by which PyYAML counts lines: with fewer, places would be off.
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


def yaml_lines(text: str) -> list[str]:
    """Split text into lines as YAML's parser counts them."""
    return _BREAK.split(text)


def short(digest: str) -> str:
    """Return how a digest, or an id, begins: as much as tells it from others."""
    # As Docker and Git shorten them.
    return digest[:12]


def short_commit(commit: str) -> str:
    """Return how the name of a commit begins."""
    return commit[:10]


def size_text(count: int) -> str:
    """Return a number of bytes with a decimal unit."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def printable(text: str) -> str:
    """Return a line of untrusted text as a terminal may see it: what controls it is escaped."""
    return "".join(ascii(char)[1:-1] if _is_control(char) else char for char in text)


def _is_control(char: str) -> bool:
    """Return whether it moves the cursor, breaks lines, or turns the direction of writing."""
    if char == "\t" or char.isprintable():
        return False
    return char in _DIRECTIONS or unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")
