"""The ways in which bytes may be read as text, so that a scan misses nothing that people read."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

_MARKS = (
    # UTF-32 first: its mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ALL_MARKS = tuple(mark for mark, _ in _MARKS)
# Bytes at the beginning by which an encoding without a mark is guessed.
_HEAD = 512
# JSON and its kin may write any character of a token so: `+`, `=` and `/` in keys often are.
_ESCAPE = re.compile(rb"\\u00([2-7][0-9A-Fa-f])|\\/")


def readings(content: bytes) -> Iterator[bytes]:
    """Yield a content as it is, and as other encodings and escapes would have it read."""
    yield content
    if encoding := _encoding(content):
        content = content.decode(encoding, "ignore").encode("utf-8", "ignore")
        yield content
    # To look for one byte takes next to nothing, and this runs for every small file.
    if b"\\" in content and (b"\\u00" in content or b"\\/" in content):
        yield _ESCAPE.sub(_unescaped, content)


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)]) if match[1] else b"/"


def _encoding(content: bytes) -> str | None:
    """Return the encoding of text whose characters take several bytes each."""
    if content.startswith(_ALL_MARKS):
        return next(encoding for mark, encoding in _MARKS if content.startswith(mark))
    head = content[:_HEAD]
    if b"\0" not in head:
        return None
    # What is mostly ASCII has a NUL in every other byte.
    even, odd = head[::2], head[1::2]
    if odd.count(0) * 2 > len(odd) and not even.count(0):
        return "utf-16-le"
    if even.count(0) * 2 > len(even) and not odd.count(0):
        return "utf-16-be"
    return None
