"""A CDN on loopback that keeps every refusal for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from support.memory_s3 import BUCKET, Bucket
from support.scripted_web import Asked, web


@contextmanager
def caching(bucket: Bucket) -> Iterator[tuple[str, list[str]]]:
    """Run a CDN before a bucket that keeps every refusal for ever; gives it, and what it kept."""
    kept: list[str] = []

    def answer(asked: Asked, _number: int) -> None:
        path = asked.path
        if path in kept:
            asked.send_error(404)
            return
        headers = {"Range": asked.headers["Range"]} if asked.headers["Range"] else {}
        request = Request(f"{bucket.endpoint}/{BUCKET}{path}", headers=headers)
        try:
            with urlopen(request) as found:
                body, size = found.read(), found.headers["Content-Range"]
        except HTTPError as refused:
            kept.append(path)
            asked.send_error(refused.code)
            return
        asked.head(206, {"Content-Length": str(len(body)), "Content-Range": size})
        asked.wfile.write(body)

    with web(answer) as server:
        yield f"http://127.0.0.1:{server.server_port}", kept
