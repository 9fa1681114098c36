"""Redirects that are followed, and not read."""

from __future__ import annotations

from typing import Any
from urllib.request import HTTPRedirectHandler


class UnreadRedirects(HTTPRedirectHandler):
    """Follows a redirect by its header: what it says beside that may have no end.

    urllib's own handler reads it all, into memory, before it goes on.
    """

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        """Follow a redirect."""
        fp.read = bytes
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302
