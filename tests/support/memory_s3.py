"""An S3 server on loopback that keeps its bucket in memory: what the tool asks of a store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from clarifai_build.manifest.types import Storage
from clarifai_build.net import s3_client
from support.memory_bucket import BUCKET, HANG_UP, KEYS, Answer, Bucket, Request, crc_of, error
from support.memory_operations import Operation
from support.scripted_web import serving

__all__ = [
    "BUCKET",
    "HANG_UP",
    "KEYS",
    "Answer",
    "Bucket",
    "Request",
    "client_of",
    "crc_of",
    "error",
    "handler_of",
    "memory_s3",
]


@cache
def _session() -> Any:
    """Return what keeps botocore's description of S3, which takes long to read."""
    return s3_client.session_of(KEYS)


def client_of(endpoint: str) -> Any:
    """Return a client that tries once."""
    return s3_client.client_of(_session(), Storage(BUCKET, endpoint_url=endpoint), KEYS, retries=0)


@contextmanager
def memory_s3() -> Iterator[Bucket]:
    """Run a server with one empty bucket."""
    bucket = Bucket()

    server = _Server(("127.0.0.1", 0), handler_of(bucket))
    bucket.endpoint = f"http://127.0.0.1:{server.server_port}"
    with serving(server):
        yield bucket


def handler_of(bucket: Bucket) -> type[BaseHTTPRequestHandler]:
    """Return what answers requests to a bucket."""

    class Handler(_Handler):
        store = bucket

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *request: Any) -> None:
        """A client that went away is no error of the server's."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each body waits for the headers to be acknowledged
    store: Bucket

    def answer(self) -> None:
        parsed = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(parsed.query, keep_blank_values=True))
        key = unquote(parsed.path).removeprefix(f"/{BUCKET}").removeprefix("/")
        request = Request(self.command, key, query, headers)
        body = self.rfile.read(int(headers.get("content-length", 0)))
        with self.store.lock:
            self.store.asked.append(request)
            said = self.store.before(request) or Operation(self.store, request, body).answer()
            said = self.store.after(request, said)
        self.reply(said)

    def reply(self, said: Answer) -> None:
        if not said.status:
            self.close_connection = True
            return
        self.send_response_only(said.status)
        headers = {"Date": format_datetime(self.store.now(), usegmt=True), **said.headers}
        if said.status != 204:
            headers.setdefault("Content-Length", str(len(said.body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said.body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
