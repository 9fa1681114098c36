"""Network failures in the words of this tool: an exception's own text may hold an address."""

from __future__ import annotations

import re
from http import HTTPStatus
from http.client import HTTPException, IncompleteRead, InvalidURL, RemoteDisconnected
from urllib.error import URLError

BAD_REDIRECT = "it leads to an address that can't be opened"

# Request timeout, too early, too many requests.
_MAY_PASS = frozenset({408, 425, 429})
# http.client has no class for it: an OSError without errno says so in its text.
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b")


def is_transient(status: int) -> bool:
    """Return whether what was answered with this status is worth another attempt."""
    return status in _MAY_PASS or status >= 500


def answer(status: int) -> str:
    """Return a status with its standard name; what the server calls it may be anything."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def is_bad_redirect(exc: Exception) -> bool:
    """Return whether urllib met an address, mostly that of a redirection, that it can't open."""
    if isinstance(exc, URLError):
        return isinstance(exc.reason, str)
    return isinstance(exc, (InvalidURL, ValueError)) and not isinstance(exc, OSError)


def cause(exc: BaseException) -> str:
    """Return what an exception means, or only its class where that is unknown."""
    for one in _chain(exc):
        if isinstance(one, TimeoutError):
            return "timed out"
        if isinstance(one, RemoteDisconnected):
            return "the connection was closed before an answer"
        if isinstance(one, IncompleteRead):
            return "the response was truncated"
        if isinstance(one, HTTPException):
            return "the answer can't be understood"
        if isinstance(one, OSError) and one.errno is not None and one.strerror:
            return one.strerror
        if isinstance(one, OSError) and (refusal := _TUNNEL.match(str(one))):
            return f"the proxy answers {answer(int(refusal[1]))}"
    return type(exc).__name__


def _chain(exc: BaseException) -> list[BaseException]:
    """Return an exception and those that it came of, which know more than what wraps them."""
    chain: list[BaseException] = []
    current: BaseException | None = exc
    while current is not None and current not in chain:
        chain.append(current)
        # urllib's URLError keeps what it came of here, too.
        reason = getattr(current, "reason", None)
        current = (
            reason if isinstance(reason, Exception) else current.__cause__ or current.__context__
        )
    return chain
