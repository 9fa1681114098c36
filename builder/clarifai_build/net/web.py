"""Opens http(s) addresses, through proxies as the environment says."""

from __future__ import annotations

from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    UnknownHandler,
)

from clarifai_build.util.redirects import UnreadRedirects


def web_opener() -> OpenerDirector:
    """Return what opens http and https, and nothing else: an address may come from anywhere."""
    # urllib's default opener reads file:, ftp: and data: addresses, too.
    opener = OpenerDirector()
    for handler in (
        ProxyHandler,
        UnknownHandler,
        HTTPHandler,
        HTTPSHandler,
        HTTPDefaultErrorHandler,
        UnreadRedirects,
        HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener
