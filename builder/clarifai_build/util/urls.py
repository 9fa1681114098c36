"""Addresses, and what of them is shown: never users, passwords or signatures."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

FIELDS = frozenset({"source", "from", "endpoint_url", "public_base_url", "api_base"})
"""The names of the manifest's fields that hold addresses."""
_WITHOUT_CREDENTIALS = ("s3", "hf")


def redact_url(address: str) -> str:
    """Return an address without user, password, query and fragment. What is a path stays."""
    scheme, _, rest = address.partition("://")
    if not rest or scheme in _WITHOUT_CREDENTIALS:
        return address
    if not is_plain(address, user=True):
        return f"{scheme}://…"
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def is_plain(address: str, *, user: bool = False) -> bool:
    """Return whether an address has a host, and neither user nor password; `user` allows them."""
    # Before urlsplit, which drops tabs and line breaks without a word.
    if " " in address or not address.isprintable():
        return False
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        readable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return readable and (user or "@" not in parts.netloc)
