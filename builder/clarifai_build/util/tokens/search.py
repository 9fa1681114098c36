"""Seeks the tokens of the table in bytes: fast where there are none, which is nearly everywhere.

No regular expression is run over a whole: each is tried only where its token may begin. Most tokens
are long words, and hold less than a tenth of what files hold: their beginnings are sought there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from typing import NamedTuple

from clarifai_build.util.tokens.token_pattern import HEX_RUN, TokenPattern

_SIGNS = (b"_", b"-", b".", b"=")
_LONG = b"a" * 20
# Bytes before a long word in which the beginning of its token may stand: the longest of the table.
_LEAD = 20
# Bytes before 32 hex digits in which the name that tells of them may begin.
_CONTEXT = 120
_IN_WORDS = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz-%")
_WORDS = bytes(97 if byte in _IN_WORDS else 32 for byte in range(256))
_HEX_RUNS = bytes(48 if byte in b"0123456789abcdef" else 32 for byte in range(256))
_HEX = re.compile(b"[0-9a-f]{32}(?![0-9A-Za-z])")

# What stands in tokens that begin so: one of these bytes, or a long word. To look for a byte takes
# next to nothing, and most small files lack some.
_WORD, _NOTHING = b"a word", b""
_NEEDS: dict[bytes, tuple[bytes, ...]] = {
    b"://": (b"@",),
    b"PRIVATE KEY": (b"-",),
    b"PrivateKey": (b"=",),
    **dict.fromkeys((b"storage_key", b"account_key"), (b"=",)),
    # Forty characters, which a slash or a plus may part into short words.
    b"secret": (_WORD, b"/", b"+"),
    **dict.fromkeys((b"api_key", b"apikey", b"access_token", b"accesstoken"), (_WORD,)),
    **dict.fromkeys((b"auth_token", b"authtoken", b"refresh_token", b"clarifai_"), (_WORD,)),
    # `-` as in --password.
    **dict.fromkeys((b"password", b"passwd", b"pwd", b"_pass"), (b"=", b":", b">", b"-")),
    b"authorization": (b":", b"=", b","),
}
# Signs, the rarest first.
_RARE = tuple(bytes([sign]) for sign in b'~@"=/-+:>,')

Words = list[tuple[int, int]]


class Found(NamedTuple):
    """A token: its kind, and where it stands."""

    name: str
    start: int
    end: int


class _Kind(NamedTuple):
    name: str
    expression: str

    @property
    def pattern(self) -> re.Pattern[bytes]:
        return _compiled(self.expression)

    def found(self, match: re.Match[bytes]) -> Found:
        group = match.lastgroup if match.lastgroup in ("secret", "token") else 0
        return Found(self.name, *match.span(group))


class TokenSearch:
    """Seeks several kinds of tokens."""

    def __init__(self, kinds: tuple[TokenPattern, ...]) -> None:
        self._in_words: dict[bytes, list[_Kind]] = {}
        self._in_text: dict[bytes, list[_Kind]] = {}
        self._names: dict[bytes, list[_Kind]] = {}
        self._by_hex: list[_Kind] = []
        for kind in kinds:
            sought = _Kind(kind.name, kind.pattern)
            if kind.starts == (HEX_RUN,):
                self._by_hex.append(sought)
                continue
            group = self._in_words if kind.in_words else self._in_text
            group = self._names if kind.any_case else group
            for start in kind.starts:
                group.setdefault(start.encode(), []).append(sought)
        self._likely = cache(self._with_needs)
        self._signs = _ends_at_signs(self._in_words)
        self._longest = max(map(len, self._in_words), default=0)

    def first(self, content: bytes) -> str:
        """Return the name of a token in a content; nothing where there is none."""
        for found in self.all(content):
            return found.name
        return ""

    def all(self, content: bytes) -> Iterator[Found]:
        """Yield every token in a content; some may be found as two kinds."""
        # Hot path. A generator is made where there is something to look at, here and below.
        words = _long_words(content)
        in_text, names = self._likely(_present(content, words))
        for start in in_text:
            if start in content:
                yield from _matches(self._in_text[start], start, content, content)
        lower = content.lower() if names else b""
        for start in names:
            if start in lower:
                yield from _matches(self._names[start], start, content, lower)
        if not words:
            return
        joined = b"\n".join({content[start:end] for start, end in words})
        for mark in self._starts_in(joined):
            yield from self._in_long_words(mark, content, words)
        if HEX_RUN.encode() in joined.translate(_HEX_RUNS):
            yield from self._before_hex(content, words)

    def _with_needs(self, present: frozenset[bytes]) -> tuple[list[bytes], list[bytes]]:
        """Return which beginnings are sought where this is present: in text, and among names."""
        in_text, names = (
            [start for start in group if not present.isdisjoint(_needs(start))]
            for group in (self._in_text, self._names)
        )
        return in_text, names

    def _starts_in(self, joined: bytes) -> Iterator[bytes]:
        """Yield which beginnings stand in the long words of a content."""
        # What ends at signs, each but once: a text may repeat a beginning a thousand times.
        ends = (sign.end() for sign in self._signs.finditer(joined))
        tails = {joined[end - self._longest if end > self._longest else 0 : end] for end in ends}
        before_signs = b"\n".join(tails)
        for start in self._in_words:
            if start in (before_signs if start.endswith(_SIGNS) else joined):
                yield start

    def _in_long_words(self, mark: bytes, content: bytes, words: Words) -> Iterator[Found]:
        for span in words:
            yield from _matches(self._in_words[mark], mark, content, content, span)

    def _before_hex(self, content: bytes, words: Words) -> Iterator[Found]:
        for start, end in words:
            for digits in _HEX.finditer(content, start, end):
                before = max(0, digits.start() - _CONTEXT)
                for kind in self._by_hex:
                    for match in kind.pattern.finditer(content, before, digits.end() + 1):
                        yield kind.found(match)


# Where a token may begin, and not before: to compile all takes longer than most commands.
@cache
def _compiled(expression: str) -> re.Pattern[bytes]:
    return re.compile(expression.encode())


def _needs(start: bytes) -> tuple[bytes, ...]:
    """Return what a token that begins so needs, one of them: a sign of its beginning will do."""
    own = next((sign for sign in _RARE if sign in start), _NOTHING)
    return _NEEDS.get(start, (own,))


def _present(content: bytes, words: Words) -> frozenset[bytes]:
    signs = [sign for sign in _RARE if sign in content]
    return frozenset((*signs, _NOTHING, _WORD) if words else (*signs, _NOTHING))


def _ends_at_signs(starts: Iterable[bytes]) -> re.Pattern[bytes]:
    """Return what finds the sign at the end of a beginning: signs are rarer than letters."""
    signed = sorted((len(start), start) for start in starts if start.endswith(_SIGNS))
    # A lookbehind has one width.
    behind = (
        b"(?<=" + b"|".join(re.escape(start) for _, start in same) + b")"
        for _, same in groupby(signed, lambda pair: pair[0])
    )
    return re.compile(b"[_.=-](?:" + b"|".join(behind) + b")" if signed else b"(?!)")


def _matches(
    kinds: list[_Kind],
    mark: bytes,
    content: bytes,
    searched: bytes,
    span: tuple[int, int] | None = None,
) -> Iterator[Found]:
    """Yield the tokens that begin with a mark; in one that was found, no other is looked for."""
    start, end = span or (0, len(searched))
    at = searched.find(mark, start, end)
    while at >= 0:
        after = at + 1
        for kind in kinds:
            if match := kind.pattern.match(content, at):
                yield kind.found(match)
                after = max(after, match.end())
        at = searched.find(mark, after, end)


def _long_words(content: bytes) -> Words:
    """Return where the long words stand, each with a little of what is before it."""
    shape, words = content.translate(_WORDS), []
    at = shape.find(_LONG)
    while at >= 0:
        end = shape.find(b" ", at)
        end = len(shape) if end < 0 else end
        words.append((max(0, at - _LEAD), end))
        at = shape.find(_LONG, end)
    return words
