"""Redirects that are followed, and neither read nor told what was meant for the host before."""

from __future__ import annotations

from http.client import HTTPMessage
from typing import IO, Any
from urllib.request import HTTPRedirectHandler, Request

# What is meant for one host, or for the proxy on the way to it.
_PRIVATE = ("Authorization", "Proxy-authorization", "Cookie")


class PlainRedirects(HTTPRedirectHandler):
    """Follows a redirect by its header: what it says beside that may have no end.

    urllib's own handler reads it all, into memory, before it goes on, and sends credentials along
    to whatever host it is led to.
    """

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        """Follow a redirect."""
        fp.read = bytes
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Return the next request, without what was meant for the host before."""
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request:
            for name in _PRIVATE:
                request.remove_header(name)
        return request
