"""Redirects are followed by their header."""

from __future__ import annotations

from urllib.error import HTTPError

import pytest

from clarifai_build.net.web import web_opener
from support.scripted_web import Asked, web
from support.slow_web import Redirecting


def test_what_a_redirect_says_is_not_read() -> None:
    """It may have no end, and would be read into memory."""
    redirecting = Redirecting()
    with web(redirecting) as server, pytest.raises(HTTPError, match="302"):
        web_opener().open(f"{server.url}/", timeout=30)
    assert redirecting.sent < 256 << 20


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_leads_on(status: int) -> None:
    """Of every kind."""

    def script(asked: Asked, number: int) -> None:
        if number == 1:
            asked.head(status, {"Location": "/there", "Content-Length": "0"})
        else:
            asked.send(asked.path.encode())

    with web(script) as server, web_opener().open(f"{server.url}/", timeout=30) as answer:
        assert answer.read() == b"/there"
