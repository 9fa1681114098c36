"""Addresses, and what of them is shown: never users, passwords or signatures."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

FIELDS = frozenset({"source", "from", "endpoint_url", "public_base_url", "api_base"})
"""The names of the manifest's fields that hold addresses."""
INSECURE_HOSTS = "CLARIFAI_BUILD_INSECURE_HOSTS"
"""Hosts, or host:port, that may be sent credentials without TLS. A variable, and no field of the
manifest: whoever changes that may be anyone who opens a pull request."""
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


def is_loopback(address: str) -> bool:
    """Return whether an address leads to this machine, by a name that can't lead elsewhere."""
    host = (urlsplit(address).hostname or "").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name, or a form of number that others read otherwise
        return False


def origin(address: str) -> tuple[str, str, int]:
    """Return scheme, host and port of an address that is plain, for comparisons."""
    parts = urlsplit(address if "://" in address else f"https://{address}")
    port = parts.port or (80 if parts.scheme == "http" else 443)
    return parts.scheme, (parts.hostname or "").rstrip("."), port


def is_insecure(address: str, environ: Mapping[str, str]) -> bool:
    """Return whether credentials would go to an address in clear, and nobody allowed it."""
    # What can't be read is another check's to refuse.
    if not (address.lower().startswith("http://") and is_plain(address, user=True)):
        return False
    if is_loopback(address):
        return False
    parts = urlsplit(address)
    named = {f"{parts.hostname}", f"{parts.hostname}:{parts.port or 80}"}
    return named.isdisjoint(environ.get(INSECURE_HOSTS, "").lower().replace(",", " ").split())


def insecure_hint(address: str) -> str:
    """Return what to do about an address that is insecure."""
    host = urlsplit(address).netloc.rpartition("@")[2]
    return f"write https://, or set {INSECURE_HOSTS}={host} where others can't read what is sent"
