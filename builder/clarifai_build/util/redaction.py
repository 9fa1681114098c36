"""What looks like a token, a key or a password, and how it is kept out of all that is shown."""

from __future__ import annotations

import re

# A PAT of Clarifai's, then keys of AWS, Hugging Face, GitHub and GitLab.
_TOKEN = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-f]{32}|(?:AKIA|ASIA)[0-9A-Z]{16}|hf_[A-Za-z0-9]{30,}"
    r"|gh[pousr]_[A-Za-z0-9]{36,}|glpat-[\w-]{20,})(?![0-9A-Za-z])"
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
