"""What went wrong on the network, in words: no exception's text is repeated."""

from __future__ import annotations

import errno
import os
import ssl
from http.client import BadStatusLine, IncompleteRead, InvalidURL, RemoteDisconnected
from urllib.error import HTTPError, URLError

import pytest

from clarifai_build.net.errors import answer, cause, is_bad_redirect, is_transient


def test_what_is_worth_another_attempt() -> None:
    """Of the user's faults only three may pass; of the server's all."""
    passing = {status for status in range(100, 600) if is_transient(status)}
    assert passing == {408, 425, 429, *range(500, 600)}


@pytest.mark.parametrize(("status", "said"), [(404, "404 Not Found"), (599, "599"), (0, "0")])
def test_a_status_has_its_standard_name(status: int, said: str) -> None:
    """Or none, where there is no standard one."""
    assert answer(status) == said


def raised_from(exc: Exception, by: Exception) -> Exception:
    """Return an exception that came of another."""
    exc.__cause__ = by
    return exc


@pytest.mark.parametrize(
    ("exc", "said"),
    [
        (TimeoutError("hunter2"), "timed out"),
        (URLError(TimeoutError("hunter2")), "timed out"),
        (RemoteDisconnected("hunter2"), "the connection was closed before an answer"),
        (IncompleteRead(b"hunter2", 5), "the response was truncated"),
        (BadStatusLine("hunter2"), "the answer can't be understood"),
        (OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED)), "Connection refused"),
        (OSError("Tunnel connection failed: 502 hunter2"), "the proxy answers 502 Bad Gateway"),
        (OSError("hunter2"), "OSError"),
        (OSError(5, ""), "OSError"),
        (ValueError("hunter2"), "ValueError"),
        (raised_from(ValueError("hunter2"), TimeoutError()), "timed out"),
        (raised_from(URLError("hunter2"), OSError(2, "No such file")), "No such file"),
    ],
)  # fmt: skip
def test_the_cause_is_told(exc: Exception, said: str) -> None:
    """The first in the chain that says something; else only what kind of exception it is."""
    assert cause(exc) == said


def test_a_chain_that_turns_in_a_circle_ends() -> None:
    """Two exceptions may each have come of the other."""
    one, other = ValueError(), KeyError()
    one.__context__, other.__context__ = other, one
    assert cause(one) == "ValueError"


@pytest.mark.parametrize(
    ("exc", "astray"),
    [
        (URLError("unknown url type: ftp"), True),
        (URLError(OSError(111, "Connection refused")), False),
        (InvalidURL("nonsense"), True),
        (ValueError("nonsense"), True),
        (OSError(5, "broken"), False),
        (UnicodeError("nonsense"), True),
        (HTTPError("http://x", 400, "no", None, None), True),  # type: ignore[arg-type]
        (RemoteDisconnected(), False),
        (ssl.SSLCertVerificationError(1, "nonsense"), False),
    ],
)
def test_an_address_that_can_not_be_opened_is_told_apart(exc: Exception, astray: bool) -> None:
    """It is no fault of the network's, and another attempt is of no use."""
    assert is_bad_redirect(exc) is astray
