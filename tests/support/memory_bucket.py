"""A bucket in memory, its uploads under way, and all that a server of it was asked."""

from __future__ import annotations

import base64
import hashlib
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any

BUCKET = "bucket"
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


def md5_of(body: bytes) -> str:
    """Return what S3 calls an object of one request."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def crc_of(body: bytes) -> str:
    """Return a CRC-32 as S3 writes it."""
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class Object:
    """What lies at a key."""

    body: bytes
    etag: str
    headers: dict[str, str] = field(default_factory=dict)
    crc: str = ""
    acl: str = ""
    written: datetime = field(default_factory=_now)

    def grow_older(self, seconds: float) -> Object:
        """Let it have been written so much earlier."""
        self.written -= timedelta(seconds=seconds)
        return self


@dataclass
class Upload:
    """A multipart upload under way, and its parts by number: content, ETag and checksum."""

    key: str
    headers: dict[str, str] = field(default_factory=dict)
    begun: datetime = field(default_factory=_now)
    parts: dict[int, tuple[bytes, str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What was asked; the names of headers are in lower case."""

    method: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def is_copy(self) -> bool:
        """Whether it names an object to copy from."""
        return "x-amz-copy-source" in self.headers

    @property
    def operation(self) -> str:
        """What S3 would call it."""
        named = {"uploads", "uploadId", "partNumber", "acl", "list-type"} & set(self.query)
        named -= {"uploadId"} if "partNumber" in named else set()
        return " ".join((self.method, *named))


@dataclass(frozen=True)
class Answer:
    """A status, a body and headers; one without `status` closes the connection."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def error(status: int, code: str) -> Answer:
    """Return an error as S3 words it."""
    return Answer(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())


HANG_UP = Answer(0)
"""The connection is closed without an answer."""


@dataclass
class Bucket:
    """What the server keeps, all that it was asked, and what it does not know or does wrong.

    `before` may answer in its place; `after` may replace an answer once a request was carried out.
    """

    objects: dict[str, Object] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    before: Callable[[Request], Answer | None] = lambda request: None
    after: Callable[[Request, Answer], Answer] = lambda request, answer: answer
    checksums: bool = True
    strict: bool = False
    """Whether a completion may name no more of a part than its number and ETag."""
    public: bool = True
    page: int = 2
    clock: timedelta = timedelta()
    endpoint: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def operations(self) -> list[str]:
        """Return what was asked, in order."""
        return [request.operation for request in self.asked]

    def now(self) -> datetime:
        """Return the time by the store's clock."""
        return _now() + self.clock

    def put(self, key: str, body: bytes, age: float = 0.0, **how: Any) -> Object:
        """Put an object without a request."""
        self.objects[key] = Object(body, md5_of(body), **how).grow_older(age)
        return self.objects[key]

    def begin(self, key: str, age: float = 0.0, parts: Sequence[bytes] = ()) -> str:
        """Begin an upload without a request, and return its id."""
        upload, crc = f"u{next(self.numbers)}", self.checksums
        sent = {n: (b, md5_of(b), crc_of(b) if crc else "") for n, b in enumerate(parts, 1)}
        self.uploads[upload] = Upload(key, {}, _now() - timedelta(seconds=age), sent)
        return upload
