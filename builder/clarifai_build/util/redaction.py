"""What looks like a token, a key or a password, and how it is kept out of all that is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from clarifai_build.util.text import printable
from clarifai_build.util.tokens.named_secrets import BARE_TOKEN
from clarifai_build.util.tokens.patterns import TOKEN_PATTERNS
from clarifai_build.util.tokens.search import TokenSearch
from clarifai_build.util.tokens.secrets_in_addresses import PASSWORD_IN_URL

_SHOWN = (*TOKEN_PATTERNS, BARE_TOKEN)
_IN_ADDRESSES = tuple(kind for kind in _SHOWN if kind.name != PASSWORD_IN_URL)
_WORD = re.compile(r"[^\s\"']+")
# In hf://repo@revision/file, what stands there is the repository.
_ADDRESS = re.compile(r"(?<!hf)://")
_PAIR = re.compile(r"[^:@]+:(?!//)[^@]+(?=@)")

# Between texts that are searched as one: no pattern looks as far over white space for what would
# make a token none, and where one asks for the end of the text, white space will do.
_APART = "\n" * 8

# Of a message: more than this nobody reads, and a secret is never longer than the second.
_LONGEST = 1000
_SECRET = 4096


def has_token(text: str, *, address: bool = False) -> bool:
    """Return whether something in the text looks like a token, or a password in an address.

    An `address` has checks of its own for the latter.
    """
    return bool(_search(address=address).first(_bytes(text)))


def any_has_token(texts: Iterable[str]) -> bool:
    """Return whether one of the texts may have a token: one search, where none of them has."""
    return has_token(_APART.join(texts))


def masked(text: str) -> str:
    """Replace what looks like a token, and users in addresses, by as many asterisks."""
    spans = [(found.start, found.end) for found in _search().all(_bytes(text))]
    if "@" in text:
        spans += _users(text)
    shown, at = [], 0
    for start, end in sorted(spans):
        shown += [text[at:start], "*" * (end - max(at, start))]
        at = max(at, end)
    return "".join([*shown, text[at:]])


def message_of(text: str) -> str:
    """Return a message with values of others in it: masked, on one line, of bounded length."""
    if len(text) <= _LONGEST:
        return printable(masked(text))
    # As if a user ended where the text is cut: of a password, not even the beginning is shown.
    return printable(masked(text[: _LONGEST + _SECRET] + "@")[:_LONGEST]) + "…"


@cache
def _search(*, address: bool = False) -> TokenSearch:
    return TokenSearch(_IN_ADDRESSES if address else _SHOWN)


def _bytes(text: str) -> bytes:
    """Return a byte a character, so that places in the one are places in the other."""
    return text.encode("ascii", "replace")


def _users(text: str) -> Iterator[tuple[int, int]]:
    """Yield user and password of each address, be it one that can't be read."""
    for word in _WORD.finditer(text):
        last = word[0].rfind("@")
        if last <= 0:
            continue
        address, pair = _ADDRESS.search(word[0], 0, last), _PAIR.match(word[0])
        if address and address.end() < last:
            yield word.start() + address.end(), word.start() + last
        if pair:
            yield word.start(), word.start() + pair.end()
