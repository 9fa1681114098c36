"""What looks like a token, a key or a password, and how it is kept out of all that is shown."""

from __future__ import annotations

import re

from clarifai_build.util.text import printable
from clarifai_build.util.token_patterns import BARE_TOKEN, TOKEN_PATTERNS

_TOKEN = re.compile(
    "|".join([BARE_TOKEN, *(kind.pattern for kind in TOKEN_PATTERNS if kind.alone)]), re.ASCII
)
# White space and quotes end an address. Runs are cut first: from each `://` of a text to its end,
# a single expression would take the square of its length.
_RUN = re.compile(r"[^\s\"']+")
# In hf://repo@revision/file, what stands before the sign is the repository.
_SCHEME = re.compile(r"(?<!hf)://")
_BARE_USER = re.compile(r"[^:@]+:(?!//)[^@]+(?=@)")

# Of a message: more than this nobody reads, and a secret is never longer than the second.
_LONGEST = 1000
_SECRET = 4096


def has_token(text: str) -> bool:
    """Return whether something in the text looks like a token."""
    return _TOKEN.search(text) is not None


def masked(text: str) -> str:
    """Replace what looks like a token, and users in addresses, by as many asterisks."""
    text = _TOKEN.sub(_asterisks, text)
    return _RUN.sub(_without_users, text) if "@" in text else text


def message_of(text: str) -> str:
    """Return a message with values of others in it: masked, on one line, of bounded length."""
    if len(text) <= _LONGEST:
        return printable(masked(text))
    # As if a user ended where the text is cut: of a password, not even the beginning is shown.
    return printable(masked(text[: _LONGEST + _SECRET] + "@")[:_LONGEST]) + "…"


def _asterisks(match: re.Match[str]) -> str:
    return "*" * len(match[0])


def _without_users(match: re.Match[str]) -> str:
    """Mask the user and the password, of an address that can't be read, too."""
    run = match[0]
    end = run.rfind("@")
    if end < 0:
        return run
    run = _BARE_USER.sub(_asterisks, run, count=1) if _BARE_USER.match(run) else run
    begin = _SCHEME.search(run, 0, end)
    return run[: begin.end()] + "*" * (end - begin.end()) + run[end:] if begin else run
