"""Proof that an anonymous client can download what was published, byte for byte at both ends."""

from __future__ import annotations

import random

import pytest

from clarifai_build.errors import StorageError
from clarifai_build.storage.public_download import fetch_range, prove_downloadable
from support.fakes import artifact_of
from support.scripted_web import Asked, web
from support.trees import without_content

ARTIFACT = artifact_of({"1/w.bin": random.Random(1).randbytes(300_000)})
CONTENT = ARTIFACT.read(0, ARTIFACT.size)


def serve(asked: Asked, content: bytes) -> None:
    """Answer a range."""
    first, last = map(int, asked.headers["Range"].removeprefix("bytes=").split("-"))
    body = content[first : last + 1]
    span = f"bytes {first}-{first + len(body) - 1}/{len(content)}"
    asked.head(206, {"Content-Length": str(len(body)), "Content-Range": span})
    asked.wfile.write(body)


def proof_of(content: bytes) -> tuple[str, str]:
    """Return the code and the words of what is wrong with what is published."""
    script = web(lambda asked, _: serve(asked, content))
    with script as server, pytest.raises(StorageError) as raised:
        prove_downloadable(server.url, ARTIFACT)
    return raised.value.problems[0].code, raised.value.problems[0].message


def test_what_was_published_is_proven_by_its_ends() -> None:
    """Two requests, however large it is."""
    with web(lambda asked, _: serve(asked, CONTENT)) as server:
        prove_downloadable(server.url, ARTIFACT)
        assert server.requests == 2


def test_a_small_artifact_is_proven_whole() -> None:
    """It ends before a sample does."""
    small = artifact_of({"a": b"b"})
    content = small.read(0, small.size)
    with web(lambda asked, _: serve(asked, content)) as server:
        prove_downloadable(server.url, small)


def test_content_that_is_not_here_is_not_compared() -> None:
    """What is, is: the headers at the start, and the directory with the CRC-32 at the end."""
    there = without_content(ARTIFACT, "1/w.bin")
    for at, matches in ((0, False), (100, True), (len(CONTENT) - 1, False)):
        changed = CONTENT[:at] + bytes([CONTENT[at] ^ 1]) + CONTENT[at + 1 :]
        with web(lambda asked, _, body=changed: serve(asked, body)) as server:
            if matches:
                prove_downloadable(server.url, there)
            else:
                with pytest.raises(StorageError):
                    prove_downloadable(server.url, there)


@pytest.mark.parametrize("at", [0, 65535, len(CONTENT) - 65536, len(CONTENT) - 1])
def test_another_byte_at_an_end_is_another_content(at: int) -> None:
    """Within the first or the last 64 KiB."""
    code, said = proof_of(CONTENT[:at] + bytes([CONTENT[at] ^ 1]) + CONTENT[at + 1 :])
    assert code == "published-differs"
    assert f"its bytes from {0 if at < 65536 else len(CONTENT) - 65536}" in said


@pytest.mark.parametrize("content", [CONTENT + b"x", CONTENT[:-1]])
def test_another_size_is_another_content(content: bytes) -> None:
    """Both sizes are told."""
    code, said = proof_of(content)
    assert code == "published-differs"
    assert f"it has {len(content)} bytes, the artifact has {len(CONTENT)}" in said


@pytest.mark.parametrize("url", ["http://bob:hunter2@host/x", "ftp://host/x", "http:///x", "x"])
def test_an_address_that_is_not_public_is_refused(url: str) -> None:
    """Nothing is asked, and nothing secret shown."""
    with pytest.raises(StorageError, match="not a public address") as raised:
        fetch_range(url, 0, 1)
    assert raised.value.problems[0].code == "not-public"
    assert "hunter2" not in str(raised.value)


def test_a_range_beyond_the_end_is_empty() -> None:
    """The store says how much there is, with a 416."""
    with web(lambda asked, _: asked.head(416, {"Content-Range": "bytes */10"})) as server:
        assert fetch_range(server.url, 20, 5) == (b"", 10)
    odd = web(lambda asked, _: asked.head(416, {"Content-Range": "bytes 1-2/10"}))
    with odd as server, pytest.raises(StorageError, match="416"):
        fetch_range(server.url, 20, 5)


def test_a_range_that_ends_early_is_what_there_is() -> None:
    """Asked for more than there is, a store sends what there is."""
    with web(lambda asked, _: serve(asked, b"0123456789")) as server:
        assert fetch_range(server.url, 8, 5) == (b"89", 10)


@pytest.mark.parametrize("length", [None, "many"])
def test_a_length_is_needed(length: str | None) -> None:
    """A server that sends the whole and does not say how long that is proves nothing."""
    headers = {} if length is None else {"Content-Length": length}
    odd = web(lambda asked, _: asked.head(200, headers))
    with odd as server, pytest.raises(StorageError) as raised:
        fetch_range(server.url, 0, 5)
    assert raised.value.problems[0].code == "download-failed"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_no_access_is_not_tried_again(status: int) -> None:
    """The way out speaks of bucket policies."""
    with web(lambda asked, _: asked.head(status, {})) as server:
        with pytest.raises(StorageError) as raised:
            fetch_range(server.url, 0, 5)
        assert server.requests == 1
    assert raised.value.problems[0].code == "not-public"
    assert "bucket policy" in (raised.value.problems[0].hint or "")


def test_two_faults_may_pass() -> None:
    """A third one is told."""
    with web(lambda asked, n: serve(asked, CONTENT) if n == 3 else asked.head(503, {})) as server:
        assert fetch_range(server.url, 0, 5) == (CONTENT[:5], len(CONTENT))
    with web(lambda asked, _: asked.head(503, {})) as server:
        with pytest.raises(StorageError, match="503") as raised:
            fetch_range(server.url, 0, 5)
        assert server.requests == 3
    assert raised.value.problems[0].code == "download-failed"


def test_an_answer_that_will_not_pass_is_told_at_once() -> None:
    """418, for one."""
    with web(lambda asked, _: asked.head(418, {})) as server:
        with pytest.raises(StorageError, match="418"):
            fetch_range(server.url, 0, 5)
        assert server.requests == 1
