"""Which ids the platform takes."""

from __future__ import annotations

import re

# The rules of the official SDK's validator, anew: the sandbox stands in for the platform, and what
# this tool checks by its schema must not be what the platform is made of.
ID_LENGTH = 48
_ID = re.compile(r"[0-9A-Za-z]+([-_][0-9A-Za-z]+)*")


def is_valid_id(text: str) -> bool:
    """Return whether an app, a model, a cluster or the like may be called so."""
    return len(text) <= ID_LENGTH and _ID.fullmatch(text) is not None
