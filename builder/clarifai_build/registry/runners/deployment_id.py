"""The id of a model's deployment: the same for every apply, so that there is one of each."""

from __future__ import annotations

import hashlib

# What the platform takes.
_LONGEST = 48
_PREFIX = "deploy-"
_DIGITS = 8


def deployment_id(app_id: str, model_id: str) -> str:
    """Return the id; it is the user's, where models of several apps may share a name."""
    digits = hashlib.sha256(f"{app_id}/{model_id}".encode()).hexdigest()[:_DIGITS]
    room = _LONGEST - len(_PREFIX) - 1 - _DIGITS
    return f"{_PREFIX}{model_id[:room].rstrip('-_')}-{digits}"
