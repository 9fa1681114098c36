"""What looks like a token, a key or a password, and how it is kept out of all that is shown."""

from __future__ import annotations

import re

from clarifai_build.util.token_patterns import BARE_TOKEN, TOKEN_PATTERNS

_TOKEN = re.compile(
    "|".join([BARE_TOKEN, *(kind.pattern for kind in TOKEN_PATTERNS if kind.alone)]), re.ASCII
)
# User and password of an address, be it one that can't be read; in hf://repo@revision/file, what
# stands there is the repository.
_USER = re.compile(
    r"(?<!hf://)(?<=://)[^\s\"']+(?=@)|(?<![^\s\"'])[^\s\"':@]+:(?!//)[^\s\"'@]+(?=@)"
)


def has_token(text: str) -> bool:
    """Return whether something in the text looks like a token."""
    return _TOKEN.search(text) is not None


def masked(text: str) -> str:
    """Replace what looks like a token, and users in addresses, by as many asterisks."""
    for secret in (_TOKEN, _USER):
        text = secret.sub(lambda match: "*" * len(match[0]), text)
    return text
