"""Weights from web servers: from any offset, and what each answer means."""

from __future__ import annotations

import random

import pytest

from clarifai_build.errors import SourceError
from clarifai_build.weights.remote.http import open_web
from clarifai_build.weights.remote.opener import open_remote
from support.scripted_web import Asked, Script, closed_port, web

CONTENT = random.Random(3).randbytes((2 << 20) + 5)


def whole(asked: Asked, _: int) -> None:
    """Send all there is, whatever is asked for."""
    asked.head(200, {"Content-Length": str(len(CONTENT))})
    asked.wfile.write(CONTENT)


def fetched(script: Script, offset: int) -> tuple[int | None, bytes]:
    """Return the size that is told, and all that comes."""
    with web(script) as server:
        remote = open_web(server.url, offset)
        return remote.size, b"".join(remote.blocks)


@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_web_addresses_are_opened_by_it(scheme: str) -> None:
    """In any case of letters."""
    with web(whole) as server:
        url = server.url.replace("http", scheme, 1)
        assert b"".join(open_remote(url, 0, None, {}).blocks) == CONTENT


@pytest.mark.parametrize("offset", [0, 1, 1 << 20, (1 << 20) + 1, len(CONTENT)])
@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_is_read_from_an_offset(offset: int, *, ranges: bool) -> None:
    """Whether or not the server knows ranges; the size is that of the whole."""
    script: Script = (lambda asked, _: asked.send(CONTENT)) if ranges else whole
    assert fetched(script, offset) == (len(CONTENT), CONTENT[offset:])


def test_a_range_is_asked_for_only_from_an_offset() -> None:
    """Some servers answer one from the beginning oddly."""
    asked_for: list[str | None] = []

    def script(asked: Asked, _: int) -> None:
        asked_for.append(asked.headers["Range"])
        asked.send(CONTENT)

    fetched(script, 0)
    fetched(script, 7)
    assert asked_for == [None, "bytes=7-"]


@pytest.mark.parametrize("status", [200, 206])
def test_a_size_may_not_be_known(status: int) -> None:
    """The bytes come all the same."""

    def script(asked: Asked, _: int) -> None:
        asked.head(status, {})
        asked.wfile.write(CONTENT[asked.start :] if status == 206 else CONTENT)

    assert fetched(script, 5) == (None, CONTENT[5:])


def test_nothing_lies_beyond_the_end() -> None:
    """From there, a 416 means that all is there; from the beginning it is an error."""
    assert fetched(lambda asked, _: asked.head(416, {}), 5) == (None, b"")
    with pytest.raises(SourceError, match="416"):
        fetched(lambda asked, _: asked.head(416, {}), 0)


@pytest.mark.parametrize(("status", "said"), [(404, "404 Not Found"), (403, "403 Forbidden")])
def test_a_refusal_is_final(status: int, said: str) -> None:
    """The standard name stands in it."""
    with pytest.raises(SourceError, match=said):
        fetched(lambda asked, _: asked.head(status, {}), 0)


def test_a_redirection_that_leads_nowhere_is_told_as_one() -> None:
    """Without its address, which may hold a signature."""
    to = {"Location": "file:///etc/hunter2"}
    with pytest.raises(SourceError, match="to an address that is not followed") as raised:
        fetched(lambda asked, _: asked.head(302, to), 0)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("status", [408, 429, 500])
def test_what_may_pass_is_a_broken_connection(status: int) -> None:
    """Another attempt may bring more."""
    with pytest.raises(ConnectionError, match=f"the server answers {status}"):
        fetched(lambda asked, _: asked.head(status, {}), 0)


def test_a_length_that_is_no_number_may_pass() -> None:
    """A proxy on the way may have made it up."""
    with pytest.raises(ConnectionError, match="not a number"):
        fetched(lambda asked, _: asked.head(200, {"Content-Length": "many"}), 0)


def test_nobody_listens() -> None:
    """That may pass."""
    with pytest.raises(ConnectionError, match="refused"):
        open_web(closed_port(), 0)


@pytest.mark.parametrize("url", ["http://bob:hunter2@host/x", "http:///x", "http://a b/"])
def test_an_address_that_holds_a_user_is_refused(url: str) -> None:
    """Credentials have their own place; what can't be read is refused, too."""
    with pytest.raises(SourceError) as raised:
        open_web(url, 0)
    assert raised.value.problems[0].code == "weight-refused"
    assert "hunter2" not in str(raised.value)


def test_an_answer_that_ends_early_ends_the_blocks() -> None:
    """Whoever reads them compares with the size."""
    size, content = fetched(lambda asked, _: asked.send(CONTENT, cut=1000), 0)
    assert size == len(CONTENT)
    assert content == CONTENT[:1000]
