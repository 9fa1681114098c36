"""The proof that strangers can download an artifact, from servers that fail meanwhile."""

from __future__ import annotations

import os
import re

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.errors import Problem, StorageError
from clarifai_build.storage.anonymous import download
from clarifai_build.storage.public_download import prove_downloadable
from support.scripted_web import Asked, Script, closed_port, web
from support.trees import artifact_of

ARTIFACT = artifact_of({"1/w.bin": os.urandom(200_000)})


def send(asked: Asked, artifact: Artifact = ARTIFACT, cut: int | None = None) -> None:
    """Answer with the range that is asked for, or with the first bytes of it."""
    asked_for = re.fullmatch(r"bytes=(\d+)-(\d+)", asked.headers["Range"])
    assert asked_for is not None
    first, last = int(asked_for[1]), int(asked_for[2])
    body = artifact.read(first, last + 1 - first)
    span = f"bytes {first}-{last}/{artifact.size}"
    asked.head(206, {"Content-Length": str(len(body)), "Content-Range": span})
    asked.wfile.write(body[:cut])


def problem_of(url: str) -> Problem:
    """Return why the artifact can't be downloaded."""
    with pytest.raises(StorageError) as raised:
        prove_downloadable(url, ARTIFACT)
    (problem,) = raised.value.problems
    return problem


FAULTS: dict[str, Script] = {
    "503 Service Unavailable": lambda asked, _: asked.send_error(503, "hunter2"),
    "closed before an answer": lambda _asked, _number: None,
    "truncated": lambda asked, _: send(asked, cut=1000),
    "can't be understood": lambda asked, _: asked.wfile.write(b"FOO BAR\r\n\r\n") and None,
}


@pytest.mark.parametrize("why", FAULTS)
def test_one_fault_that_passes_fails_nothing(why: str) -> None:
    """The range is asked for once more."""
    with web(lambda asked, number: FAULTS[why](asked, 1) if number == 1 else send(asked)) as server:
        prove_downloadable(server.url, ARTIFACT)
        assert server.requests == 3


@pytest.mark.parametrize("why", FAULTS)
def test_faults_that_go_on_are_told_as_they_are(why: str) -> None:
    """They are neither a matter of access nor another content."""
    with web(FAULTS[why]) as server:
        problem = problem_of(server.url)
        assert server.requests == 3
    assert problem.code == "download-failed"
    assert why in problem.message
    assert "hunter2" not in problem.message


def test_nobody_answers() -> None:
    """That is no matter of access either."""
    problem = problem_of(closed_port())
    assert problem.code == "download-failed"
    assert "Connection refused" in problem.message


@pytest.mark.parametrize("status", [401, 403, 404])
def test_access_is_told_at_once(status: int) -> None:
    """Who may not read it is told how to open it."""
    with web(lambda asked, _: asked.send_error(status, "hunter2")) as server:
        problem = problem_of(server.url)
        assert server.requests == 1
    assert problem.code == "not-public"
    assert f"answers {status} " in problem.message
    assert "hunter2" not in problem.message


@pytest.mark.parametrize(
    "to",
    ["ftpx://bob:hunter2@x/?Signature=hunter3", "http://127.0.0.1:hunter2/?Signature=hunter3"],
)
def test_secrets_of_a_redirection_are_never_shown(to: str) -> None:
    """Whether it is not followed or can't be."""
    with web(lambda asked, _: asked.head(302, {"Location": to})) as server:
        problem = problem_of(server.url)
        assert server.requests == 1
    assert problem.code == "download-failed"
    assert "hunter" not in str(problem)


def test_another_content_is_another_content() -> None:
    """Whole answers that differ are what was replaced."""
    other = artifact_of({"1/w.bin": os.urandom(200_000)})
    with web(lambda asked, _: send(asked, other)) as server:
        assert problem_of(server.url).code == "published-differs"


def test_a_record_that_can_not_be_had_is_not_missing() -> None:
    """A store that is down says nothing of what lies in it."""
    down = FAULTS["503 Service Unavailable"]
    with web(down) as server, pytest.raises(StorageError, match="503"):
        download(server.url)
    with web(lambda asked, _: asked.send_error(404)) as server:
        assert download(server.url) is None


def test_a_record_that_was_emptied_is_empty() -> None:
    """Of nothing there is no first byte: servers refuse the range."""

    def empty(asked: Asked, _number: int) -> None:
        asked.head(416, {"Content-Length": "0", "Content-Range": "bytes */0"})

    with web(empty) as server:
        assert download(server.url) == b""
