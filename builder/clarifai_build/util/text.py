"""Text for people: numbers of bytes, and untrusted text with terminal controls escaped."""

from __future__ import annotations

import unicodedata

# Bidirectional controls: with them, text reads otherwise than it is (CVE-2021-42574).
_DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


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
