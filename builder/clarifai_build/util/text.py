"""Text: lines as YAML counts them, sizes, digests and untrusted text for people."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Characters that are not printed, but for spaces of other widths: controls, line separators, what
# turns the direction of writing (CVE-2021-42574) or has no width, halves, and what nobody defined.
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_JOINER = "\u200d"
# Pictures, and what changes their colour or form.
_PICTURES = frozenset(("So", "Sk", "Mn"))
_BEYOND_ASCII = re.compile("[^\n\x20-\x7e]")
# CI services obey such lines: GitHub's `::command::` at the start, `##[command]` anywhere in it,
# as Azure's `##vso[…]` and TeamCity's `##teamcity[…]`.
_COMMAND = re.compile(r"^([^\S\n]*):(?=:)|#(?=#[\w.-]*\[)", re.MULTILINE)
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


def binary_size_text(count: int) -> str:
    """Return a number of bytes with a binary unit."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def printable(text: str) -> str:
    """Return a value as one line for people: what is not printed, or controls them, is escaped."""
    if text.isprintable():
        return text
    return printable_lines(text).replace("\n", "\\n")


def printable_lines(text: str) -> str:
    """Return text for people likewise, with its lines as they are."""
    return _BEYOND_ASCII.sub(_escaped, text)


def joined(lines: Iterable[str]) -> str:
    """Put lines together that hold values; a line break in a value makes no line."""
    return "\n".join(map(printable, lines))


def inert(text: str) -> str:
    """Return text of which CI services obey no line; JSON keeps its meaning."""
    if "::" not in text and "##" not in text:
        return text
    return _COMMAND.sub(_as_escape, text)


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    if unicodedata.category(char) not in _UNSEEN or (char == _JOINER and _joins(match)):
        return char
    return ascii(char)[1:-1]


def _joins(match: re.Match[str]) -> bool:
    """Return whether a joiner stands between two pictures, which it makes one."""
    around = (
        match.string[max(0, match.start() - 1) : match.start()],
        match.string[match.end() : match.end() + 1],
    )
    return all(sign and unicodedata.category(sign) in _PICTURES for sign in around)


def _as_escape(match: re.Match[str]) -> str:
    return "\\u0023" if match[0] == "#" else f"{match[1]}\\u003a"
