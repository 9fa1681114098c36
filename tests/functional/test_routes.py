"""The way of parts through a proxy with a password, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from clarifai_build.storage.upload.proxy import route_to

BOB = "Basic Ym9iOmh1bnRlcjI="


class Proxy(ThreadingHTTPServer):
    """Leads nowhere, and remembers who wanted to go where."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Refusal)
        self.asked: list[tuple[str, str | None]] = []


class Refusal(BaseHTTPRequestHandler):
    server: Proxy

    def do_CONNECT(self) -> None:
        self.server.asked.append((self.path, self.headers["Proxy-Authorization"]))
        self.send_error(502)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The proxy, for http and https."""
    with Proxy() as running:
        Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
        for name in ("http_proxy", "https_proxy"):
            address = f"bob:hunter%32@127.0.0.1:{running.server_port}"
            monkeypatch.setenv(name, f"http://{address}")
            monkeypatch.setenv(name.upper(), f"http://{address}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.setenv(name, "near.test")
        yield running
        running.shutdown()


def test_a_tunnel_is_asked_for_with_the_password(proxy: Proxy) -> None:
    """TLS goes through a tunnel, and only the proxy hears the password."""
    route = route_to("https://s3.test/bucket/key?partNumber=1")
    assert route.target == "/bucket/key?partNumber=1"
    assert route.headers == {}
    with pytest.raises(OSError, match="502") as raised:
        route.connect()
    assert proxy.asked == [("s3.test:443", BOB)]
    assert "hunter" not in f"{route!r} {raised.value!r}"


def test_the_password_is_not_shown(proxy: Proxy) -> None:
    """Without a tunnel it is a header of each request."""
    route = route_to("http://s3.test/bucket/key?partNumber=1")
    assert route.target == "http://s3.test/bucket/key?partNumber=1"
    assert route.headers == {"Proxy-Authorization": BOB}
    assert (route.connection.host, route.connection.port) == ("127.0.0.1", proxy.server_port)
    assert BOB not in repr(route)


def test_some_hosts_need_no_proxy(proxy: Proxy) -> None:
    """As everywhere else, NO_PROXY says which."""
    for scheme, port in (("http", 80), ("https", 443)):
        route = route_to(f"{scheme}://near.test/bucket/key?partNumber=1")
        assert (route.connection.host, route.connection.port) == ("near.test", port)
        assert route.target == "/bucket/key?partNumber=1"
        assert route.headers == {}
    assert proxy.asked == []
