"""One part, sent until it arrives or can't: what is tried again, and what is told."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import BadStatusLine, RemoteDisconnected
from typing import Any

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.errors import NotAuthorisedError, StorageError
from clarifai_build.net.s3_errors import REFUSED
from clarifai_build.storage.upload.part_connection import StoreAnsweredError
from clarifai_build.storage.upload.part_sender import (
    ChecksumsUnknownError,
    UploadGoneError,
    send_part,
)
from clarifai_build.storage.upload.parts import Part
from support.fakes import artifact_of

ARTIFACT = artifact_of({"1/w.bin": b"content"})
PART = Part(3, 0, ARTIFACT.size, 0)


class Stop(threading.Event):
    """Does not wait, and knows how long it would have."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout or 0.0)
        return self.is_set()


@dataclass
class Script:
    """A wire that does one thing after the other."""

    outcomes: Sequence[Exception | str]
    checksums: bool = True
    bucket: str = "bucket"
    stop: Stop = field(default_factory=Stop)
    sent: int = 0

    def send(self, artifact: Artifact, part: Part) -> str:
        """Raise or return what comes next; the last thing is done for ever."""
        assert (artifact, part) == (ARTIFACT, PART)
        outcome = self.outcomes[min(self.sent, len(self.outcomes) - 1)]
        self.sent += 1
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def answered(status: int, code: str = "") -> StoreAnsweredError:
    """Return an answer of a store's."""
    return StoreAnsweredError(status, f"<Error><Code>{code}</Code></Error>" if code else "")


def send(script: Any) -> str:
    """Send the part along it."""
    return send_part(script, ARTIFACT, PART)


PASSING = [
    ConnectionResetError("reset"),
    TimeoutError("timed out"),
    RemoteDisconnected("closed"),
    BadStatusLine("nonsense"),
    *(answered(status) for status in (200, 408, 429, 500, 502, 503, 504)),
    *(answered(400, code) for code in ("BadDigest", "IncompleteBody", "RequestTimeout")),
    answered(400, "XAmzContentChecksumMismatch"),
]


@pytest.mark.parametrize("fault", PASSING)
def test_what_may_pass_is_tried_again(fault: Exception) -> None:
    """Five times, each wait longer than it could have been before, with jitter."""
    script = Script([fault] * 5 + ["etag"])
    assert send(script) == "etag"
    assert script.sent == 6
    assert len(script.stop.waited) == 5
    waits = zip(script.stop.waited, (0.5, 1.0, 2.0, 4.0, 8.0), strict=True)
    assert [0 <= wait <= most for wait, most in waits] == [True] * 5
    assert len(set(script.stop.waited)) == 5


@pytest.mark.parametrize("fault", PASSING)
def test_what_goes_on_is_told(fault: Exception) -> None:
    """After six attempts it is a failure, which says what is kept, or whom to look at."""
    script = Script([fault])
    with pytest.raises(StorageError, match="part 3 can't be sent") as raised:
        send(script)
    assert script.sent == 6
    assert raised.value.problems[0].code == "upload-failed"
    assert raised.value.__cause__ is fault


def test_what_arrives_at_once_does_not_wait() -> None:
    """No pause before the first attempt, and no second attempt."""
    script = Script(["etag"])
    assert send(script) == "etag"
    assert (script.sent, script.stop.waited) == (1, [])


@pytest.mark.parametrize("status", [301, 400, 404, 405, 411, 413])
def test_what_will_not_pass_is_told_at_once(status: int) -> None:
    """Another attempt would be answered alike."""
    script = Script([answered(status, "Odd"), "etag"])
    with pytest.raises(StorageError, match=f"{status} Odd"):
        send(script)
    assert script.sent == 1


@pytest.mark.parametrize("code", sorted(REFUSED - {"403", "401"}))
def test_credentials_that_are_refused_are_told_as_such(code: str) -> None:
    """By the code alone, whatever the status; nothing is tried again."""
    script = Script([answered(400, code), "etag"])
    with pytest.raises(NotAuthorisedError, match=f"UploadPart on bucket bucket: {code}"):
        send(script)
    assert script.sent == 1


def test_an_upload_that_is_gone_is_told_apart() -> None:
    """Whoever sends may look whether another run has completed it."""
    with pytest.raises(UploadGoneError):
        send(Script([answered(404, "NoSuchUpload")]))


@pytest.mark.parametrize("code", ["NotImplemented", "InvalidArgument", "InvalidRequest"])
def test_checksums_that_are_unknown_are_told_apart(code: str) -> None:
    """But only where some were sent."""
    with pytest.raises(ChecksumsUnknownError):
        send(Script([answered(400, code)], checksums=True))
    with pytest.raises(StorageError, match=code):
        send(Script([answered(400, code)], checksums=False))


def test_a_wire_that_is_closed_ends_every_attempt() -> None:
    """Whatever breaks then is no fault of the store's."""
    with pytest.raises(InterruptedError):
        send(Script([InterruptedError()]))
    for fault in (ConnectionResetError("shut"), answered(403, "AccessDenied")):
        script = Script([fault])
        script.stop.set()
        with pytest.raises(InterruptedError):
            send(script)
        assert script.sent == 1


def test_a_way_out_is_named() -> None:
    """What is kept, that it may be no store, or how to do without checksums."""

    def hint(fault: Exception, *, checksums: bool = True) -> str:
        with pytest.raises(StorageError) as raised:
            send(Script([fault], checksums=checksums))
        return raised.value.problems[0].hint or ""

    kept, no_checksums = "are kept at the store", "checksums: when_required"
    assert kept in hint(TimeoutError("timed out"))
    assert kept in hint(answered(503))
    assert no_checksums not in hint(answered(503))
    assert kept in hint(answered(400, "Odd"))
    assert no_checksums in hint(answered(400, "Odd"))
    assert no_checksums not in hint(answered(400, "Odd"), checksums=False)
    assert "storage.endpoint_url" in hint(answered(200))
    assert "storage.endpoint_url" in hint(BadStatusLine("SSH-2.0"))
    assert kept in hint(RemoteDisconnected("closed"))


def test_words_that_speak_no_http_are_not_repeated() -> None:
    """They may hold what was signed."""
    with pytest.raises(StorageError) as raised:
        send(Script([BadStatusLine("hunter2")]))
    assert "hunter2" not in str(raised.value)
    assert "does not speak HTTP" in str(raised.value)
