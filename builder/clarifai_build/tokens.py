"""What looks like a token or a key, and how it is kept out of everything that is shown."""

from __future__ import annotations

import re

# A PAT of Clarifai's, then keys of AWS, Hugging Face, GitHub and GitLab.
_TOKEN = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-f]{32}|(?:AKIA|ASIA)[0-9A-Z]{16}|hf_[A-Za-z0-9]{30,}"
    r"|gh[pousr]_[A-Za-z0-9]{36,}|glpat-[\w-]{20,})(?![0-9A-Za-z])"
)


def has_token(text: str) -> bool:
    """Say whether something in the text looks like a token."""
    return _TOKEN.search(text) is not None


def masked(text: str) -> str:
    """Replace what looks like a token by as many asterisks."""
    return _TOKEN.sub(lambda match: "*" * len(match[0]), text)
