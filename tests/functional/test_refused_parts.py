"""A store that takes an upload's beginning and refuses its parts."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from clarifai_build.errors import BuilderError, NotAuthorisedError, StorageError
from clarifai_build.manifest.types import Storage
from clarifai_build.progress import no_progress
from clarifai_build.storage.s3_store import open_store
from clarifai_build.storage.upload.multipart import Upload
from support.fakes import BUILT, artifact_of
from support.scripted_web import serving

ENVIRON = {"AWS_ACCESS_KEY_ID": "hunter2", "AWS_SECRET_ACCESS_KEY": "hunter3"}


class Store(ThreadingHTTPServer):
    """Answers every part with one status and code, and repeats what was signed, as S3 does."""

    daemon_threads = True
    refusal = (403, "<Code>AccessDenied</Code>")


class Answer(BaseHTTPRequestHandler):
    server: Store

    def do_GET(self) -> None:
        self.answer(403, "<Error><Code>AccessDenied</Code></Error>")

    def do_POST(self) -> None:
        said = "<Bucket>b</Bucket><Key>k</Key><UploadId>u</UploadId>"
        self.answer(200, f"<InitiateMultipartUploadResult>{said}</InitiateMultipartUploadResult>")

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, code = self.server.refusal
        self.answer(status, f"<Error>{code}<AWSAccessKeyId>hunter2</AWSAccessKeyId></Error>")

    def answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def store() -> Iterator[Store]:
    """The store, on the loopback interface."""
    with serving(Store(("127.0.0.1", 0), Answer)) as running:
        yield running


@pytest.mark.parametrize(
    ("status", "code", "error", "told"),
    [
        (403, "<Code>AccessDenied</Code>", NotAuthorisedError, "AccessDenied"),
        (400, "<Code>ExpiredToken</Code>", NotAuthorisedError, "ExpiredToken"),
        (403, "", NotAuthorisedError, "403"),
        (400, "<Code>InvalidPart</Code>", StorageError, "400 InvalidPart"),
    ],
)
def test_a_refused_part(
    store: Store, status: int, code: str, error: type[BuilderError], told: str
) -> None:
    """Credentials that do not reach are told apart from the rest, by the store's code alone."""
    store.refusal = (status, code)
    storage = Storage("b", endpoint_url=f"http://127.0.0.1:{store.server_port}")
    s3 = open_store(storage, ENVIRON)
    upload = Upload(s3.access, "b", "k", {}, checksums=False, progress=no_progress)
    with pytest.raises(error, match=told) as raised:
        upload.run(artifact_of(BUILT), {})
    assert "hunter" not in str(raised.value)
