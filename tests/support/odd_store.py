"""An HTTP proxy on loopback before a real S3 server, which answers some requests in its place."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """What was asked; the names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def is_part(self) -> bool:
        return "partNumber=" in self.path

    @property
    def is_copy(self) -> bool:
        return "x-amz-copy-source" in self.headers

    @property
    def part(self) -> int:
        """The number of the part, or 0."""
        return int(parse_qs(urlsplit(self.path).query).get("partNumber", ["0"])[0])

    @property
    def sent(self) -> int:
        """How many bytes of a part came with it."""
        return int(self.headers.get("content-length", 0)) if self.is_part else 0

    @property
    def begins(self) -> bool:
        return self.method == "POST" and self.path.endswith("?uploads")

    @property
    def completes(self) -> bool:
        return self.method == "POST" and "uploadId=" in self.path

    @property
    def aborts(self) -> bool:
        return self.method == "DELETE" and "uploadId=" in self.path

    @property
    def lists_uploads(self) -> bool:
        return self.method == "GET" and "?uploads" in self.path

    @property
    def lists_parts(self) -> bool:
        return self.method == "GET" and "uploadId=" in self.path


@dataclass(frozen=True)
class Say:
    """Answer this in the store's place; without a status, `body` is all that is sent."""

    status: int | None
    body: bytes = b""


@dataclass(frozen=True)
class Silence:
    """Answer nothing: at once, as a broken connection does, or never. The store may be asked."""

    forever: bool = False
    asked: bool = False


@dataclass(frozen=True)
class Without:
    """Pass the store's answer on, but for one header."""

    header: str


Rule = Callable[[Request], Say | Silence | Without | None]


def error(status: int, code: str) -> Say:
    """Return an error as S3 words it."""
    return Say(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())


@dataclass
class OddStore:
    """`asked` is every request so far; `silent` is set once one gets no answer, ever."""

    endpoint: str
    rule: Rule
    asked: list[Request] = field(default_factory=list)
    silent: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


def once(rule: Rule) -> Rule:
    """Return a rule that holds the first time."""
    used = False

    def first(request: Request) -> Say | Silence | Without | None:
        nonlocal used
        act = None if used else rule(request)
        used = used or act is not None
        return act

    return first


@contextmanager
def odd_store(endpoint: str, rule: Rule) -> Iterator[OddStore]:
    """Run a proxy before the server at an address; also for those who ask it as their proxy."""
    odd = OddStore("", rule)

    class Handler(_Handler):
        store = odd
        address = endpoint.removeprefix("http://")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    odd.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield odd
    finally:
        odd.over.set()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: OddStore
    address: str

    def answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers)
        self.store.asked.append(request)
        act = self.store.rule(request)
        if act == Silence(forever=True):
            self.store.silent.set()
            self.store.over.wait()
        if isinstance(act, Silence) and not act.asked:
            self.close_connection = True
            return
        body = self.rfile.read(int(headers.get("content-length", 0)))
        if isinstance(act, Say):
            self.say(act)
            return
        status, answered, content = self.ask(body)
        if isinstance(act, Silence):
            self.close_connection = True
            return
        if isinstance(act, Without):
            answered.pop(act.header, None)
        self.reply(status, answered, content)

    def say(self, act: Say) -> None:
        if act.status is None:
            self.wfile.write(act.body)
            self.close_connection = True
        else:
            self.reply(act.status, {"content-length": str(len(act.body))}, act.body)

    def ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.address)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("expect", "proxy-authorization"):
                connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        connection.close()
        headers.pop("transfer-encoding", None)
        if self.command != "HEAD" and answer.status != 204:
            headers["content-length"] = str(len(content))
        return answer.status, headers, content

    def reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name != "connection":
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
