"""Servers that fail while a weight is fetched from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.weights.locate import locate
from support.fetched import CONTENT, one_weight, problem_of, weights_in
from support.scripted_web import Asked, Script, web


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment with a cache folder of its own."""
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


def raw(answer: bytes) -> Script:
    """Return a script that answers with these bytes."""
    return lambda asked, _: asked.wfile.write(answer) and None


def redirect(to: str) -> Script:
    """Return a script that sends all elsewhere."""
    return lambda asked, _: asked.head(302, {"Location": to, "Content-Length": "0"})


def test_pieces_are_put_together_however_many(tmp_path: Path, environ: dict[str, str]) -> None:
    """A server that breaks off each answer after 1 MiB is asked as long as that brings more."""
    with web(lambda asked, _: asked.send(CONTENT, cut=1 << 20)) as server:
        (found,) = locate(one_weight(tmp_path, server.url), environ=environ)
        assert server.requests == 7
    assert Path(found.file).read_bytes() == CONTENT


def test_what_arrived_is_kept_where_nothing_more_does(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    """The server is unreachable then, the weight no other; the next run goes on."""

    def stop_at_2_mib(asked: Asked, number: int) -> None:
        asked.send(CONTENT, cut=(2 << 20) - asked.start if number < 9 else None)

    with web(stop_at_2_mib) as server:
        manifest = one_weight(tmp_path, server.url)
        problem = problem_of(manifest, environ)
        assert problem.code == "weight-unreachable"
        assert "what has arrived is kept" in (problem.hint or "")
        (partial,) = weights_in(environ)
        assert partial.read_bytes() == CONTENT[: 2 << 20]
        assert server.requests == 5
        server.requests = 9
        (found,) = locate(manifest, environ=environ)
    assert Path(found.file).read_bytes() == CONTENT
    assert weights_in(environ) == [Path(found.file)]


def test_pieces_that_are_no_whole_are_fetched_anew(tmp_path: Path, environ: dict[str, str]) -> None:
    """Where the file at the server changed between two answers, all of it is asked for again."""

    def change(asked: Asked, number: int) -> None:
        asked.send(CONTENT[::-1] if number == 1 else CONTENT, cut=3 << 20 if number == 1 else None)

    with web(change) as server:
        (found,) = locate(one_weight(tmp_path, server.url), environ=environ)
        assert server.requests == 3
    assert Path(found.file).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"FOO BAR BAZ\r\n\r\n", "can't be understood"),
        (b"", "closed before an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nxx", "not a number"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n", "truncated"),
        (b"HTTP/1.1 503 hunter2\r\nContent-Length: 0\r\n\r\n", "503 Service Unavailable"),
        (b"HTTP/1.1 429 hunter2\r\nContent-Length: 0\r\n\r\n", "429 Too Many Requests"),
    ],
)
def test_what_may_pass_is_tried_again(
    answer: bytes, why: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    """Four times in all; then the server is unreachable, and no empty file is left."""
    with web(raw(answer)) as server:
        problem = problem_of(one_weight(tmp_path, server.url), environ)
        assert server.requests == 4
    assert problem.code == "weight-unreachable"
    assert why in problem.message
    assert "hunter2" not in problem.message
    assert weights_in(environ) == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_is_final(status: int, tmp_path: Path, environ: dict[str, str]) -> None:
    """It is told at once, and leaves nothing behind."""
    with web(lambda asked, _: asked.send_error(status, "hunter2")) as server:
        problem = problem_of(one_weight(tmp_path, server.url), environ)
        assert server.requests == 1
    assert problem.code == "weight-refused"
    assert f": {status} " in problem.message
    assert "hunter2" not in problem.message
    assert weights_in(environ) == []


@pytest.mark.parametrize(
    "to",
    [
        "ftpx://bob:hunter2@x/y?X-Amz-Signature=hunter3",
        "ftp://bob:hunter2@127.0.0.1:9/y",
        "s3://x/y?X-Amz-Signature=hunter3",
        "file:///etc/passwd?hunter2",
        "http://127.0.0.1:hunter2/y?X-Amz-Signature=hunter3",
        "http://[hunter2/y?X-Amz-Signature=hunter3",
        "/w?X-Amz-Signature=hunter3",
    ],
)
def test_secrets_of_a_redirection_are_never_shown(
    to: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    """Nor is one followed that leads from the web, to an address that is none, or in a circle."""
    with web(redirect(to)) as server:
        problem = problem_of(one_weight(tmp_path, server.url), environ)
    assert problem.code == "weight-refused"
    assert "hunter" not in str(problem)
