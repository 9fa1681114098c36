"""From the bytes of a requirements file to its logical lines, by pip's rules."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

# UTF-32 first: its mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# PEP 263, as in Python source: a comment in one of the first two lines.
_DECLARED = re.compile(rb"coding[:=]\s*([-\w.]+)")
# After white space alone: `#egg=` in an address is none.
_COMMENT = re.compile(r"(^|\s+)#.*$")


class Logical(NamedTuple):
    """A line without its comment, joined with those it goes on in, and where it begins and ends."""

    first: int
    last: int
    text: str


def decode(content: bytes) -> str:
    """Return the text; raises ValueError, in words, where there is none.

    pip falls back to the locale of the machine it runs on: what only reads there is refused here.
    """
    encoding, start = _encoding(content)
    try:
        text = content[start:].decode(encoding)
    except LookupError:
        raise ValueError(f"it declares the encoding {encoding!r}, which Python lacks") from None
    except UnicodeDecodeError as error:
        name = {"utf-8": "UTF-8"}.get(encoding, encoding)
        raise ValueError(f"it is not {name} at byte {start + error.start}") from None
    if "\0" in text:
        raise ValueError("it has null characters, as UTF-16 without a byte order mark has")
    return text


def is_utf8(content: bytes) -> bool:
    """Return whether every tool, also those that know UTF-8 alone, reads the same as pip."""
    return codecs.lookup(_encoding(content)[0]).name == "utf-8"


def _encoding(content: bytes) -> tuple[str, int]:
    """Return the encoding, and where the text begins."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding, len(mark)
    for line in content.split(b"\n", 2)[:2]:
        if line.startswith(b"#") and (declared := _DECLARED.search(line)):
            return declared[1].decode("ascii"), 0
    return "utf-8", 0


def logical_lines(text: str) -> Iterator[Logical]:
    """Yield the lines that say something."""
    for first, last, joined in _joined(text):
        if stripped := _COMMENT.sub("", joined).strip():
            yield Logical(first, last, stripped)


def _joined(text: str) -> Iterator[tuple[int, int, str]]:
    parts: list[str] = []
    number = first = 0
    for number, line in enumerate(text.splitlines(), 1):
        first = first if parts else number
        is_comment = _COMMENT.match(line) is not None
        if line.endswith("\\") and not is_comment:
            parts.append(line.strip("\\"))
            continue
        # With a space before it, a comment that ends a joined line is found as one.
        yield first, number, "".join((*parts, f" {line}" if is_comment else line))
        parts = []
    if parts:
        yield first, number, "".join(parts)
