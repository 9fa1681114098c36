"""One spelling of a JSON value, so that equal values have equal digests."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any, *, spaced: bool = False) -> str:
    """Write a value with sorted keys, without spaces, and text as it is.

    `spaced` is how `json.dumps` writes by itself, ASCII alone: digests in locks and saved plans
    are of that.
    """
    if spaced:
        return json.dumps(value, sort_keys=True)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def json_sha256(value: Any, *, spaced: bool = False) -> str:
    """Return the SHA-256 of a value's spelling, as hex."""
    return hashlib.sha256(canonical_json(value, spaced=spaced).encode()).hexdigest()
