"""Opens http(s) addresses, through proxies as the environment says."""

from __future__ import annotations

from http.client import HTTPResponse, HTTPSConnection
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from clarifai_build.net.trust import web_context
from clarifai_build.util.http.redirects import PlainRedirects


def web_opener() -> OpenerDirector:
    """Return what opens http and https, and nothing else: an address may come from anywhere."""
    # urllib's default opener reads file:, ftp: and data: addresses, too.
    opener = OpenerDirector()
    for handler in (
        ProxyHandler,
        UnknownHandler,
        HTTPHandler,
        _TrustingHandler,
        HTTPDefaultErrorHandler,
        PlainRedirects,
        HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


class _TrustingHandler(HTTPSHandler):
    """Reads the certificates to trust once something is opened by TLS."""

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(HTTPSConnection, req, context=web_context())
