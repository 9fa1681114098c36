"""The way to a store: by the proxy that boto3 would take, with the certificates it would trust."""

from __future__ import annotations

import http.client
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from botocore.httpsession import ProxyConfiguration, get_cert_path
from botocore.utils import get_environ_proxies

_CONNECT_TIMEOUT = 30.0
# Seconds. A store answers only when it has stored the part: 64 MiB and more on a busy disk.
_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """A connection towards an address, not yet made, what to ask it for, and as whom."""

    connection: http.client.HTTPConnection
    target: str
    headers: dict[str, str] = field(repr=False)

    def connect(self) -> None:
        """Connect; a store may then take longer to answer than it may take to be reached."""
        self.connection.connect()
        self.connection.sock.settimeout(_TIMEOUT)

    def shut(self) -> None:
        """Break off whatever is being sent, from another thread."""
        sock: socket.socket | None = self.connection.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def route_to(url: str, endpoint: str = "", verify: str | bool = True) -> Route:
    """Return the way to an address, by the proxy that botocore takes to the store's `endpoint`.

    Where proxies are is read from this process's environment; `verify` is what a client of
    botocore is given.
    """
    parsed = urlsplit(url)
    target = f"{parsed.path}?{parsed.query}"
    settings = ProxyConfiguration(get_environ_proxies(endpoint or url))
    proxy = settings.proxy_url_for(url)
    headers = settings.proxy_headers_for(proxy) if proxy else {}
    via = urlsplit(proxy) if proxy else parsed
    to = via.hostname or ""
    if parsed.scheme == "http":
        plain = http.client.HTTPConnection(to, via.port, timeout=_CONNECT_TIMEOUT)
        # A proxy needs the whole address in the request.
        return Route(plain, url if proxy else target, headers)
    context = ssl.create_default_context(cafile=_bundle(verify))
    secure = http.client.HTTPSConnection(to, via.port, timeout=_CONNECT_TIMEOUT, context=context)
    if proxy:
        # The proxy's credentials go into CONNECT alone: the store must not see them.
        secure.set_tunnel(parsed.hostname or "", parsed.port or 443, headers)
    return Route(secure, target, {})


def _bundle(verify: str | bool) -> str:
    """Return the file of certificates that a client of botocore trusts."""
    return verify if isinstance(verify, str) else str(get_cert_path(True))
