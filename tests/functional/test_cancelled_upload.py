"""Uploads in parts, to a store on loopback that answers no more once parts come."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from clarifai_build.cancellation import CancelToken
from clarifai_build.manifest.types import Storage
from clarifai_build.storage.s3_store import open_store
from support.scripted_web import serving
from support.trees import artifact_of

ENVIRON = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
BEGUN = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"


class Store(ThreadingHTTPServer):
    """Holds nothing, begins every upload, and keeps quiet about parts until `over`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked, self.over = threading.Event(), threading.Event()


class Answer(BaseHTTPRequestHandler):
    server: Store

    def do_HEAD(self) -> None:
        self.answer(404)

    def do_GET(self) -> None:
        self.answer(403, "<Error><Code>AccessDenied</Code></Error>")

    def do_POST(self) -> None:
        self.answer(200, BEGUN)

    def do_PUT(self) -> None:
        self.server.asked.set()
        self.server.over.wait(30)

    def answer(self, status: int, body: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def store() -> Iterator[Store]:
    """The store, on the loopback interface."""
    with serving(Store()) as running:
        yield running
        running.over.set()


def test_an_upload_is_cancelled_while_the_store_hangs(store: Store) -> None:
    """Another thread cancels it; until then it has told that it began, and what it sent."""
    storage = Storage("b", endpoint_url=f"http://127.0.0.1:{store.server_port}")
    artifact = artifact_of({"w.bin": bytes(17 << 20)})
    cancel, raised, sent = CancelToken(), list[BaseException](), list[int]()

    def upload() -> None:
        try:
            s3 = open_store(storage, ENVIRON)
            s3.put_artifact("k", artifact, {}, sent=sent.append, cancel=cancel)
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            raised.append(error)

    thread = threading.Thread(target=upload, daemon=True)
    thread.start()
    assert store.asked.wait(30)
    cancel.cancel()
    thread.join(10)
    assert [type(error) for error in raised] == [KeyboardInterrupt]
    assert sent[0] == 0
    assert max(sent) < artifact.size
