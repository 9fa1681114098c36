"""Weights from hubs that fsspec knows: opened at an offset, and what each failure means."""

from __future__ import annotations

import io
from collections.abc import Iterator
from json import JSONDecodeError
from types import SimpleNamespace
from typing import Any

import fsspec
import pytest
from fsspec.spec import AbstractFileSystem

from clarifai_build.errors import SourceError
from clarifai_build.weights.remote.hubs import open_other
from clarifai_build.weights.remote.opener import open_remote

CONTENT = bytes(range(256)) * 9000
URL = "faulty://hub/w.bin"


class Faulty(AbstractFileSystem):
    """A hub with one file; `at` says which call raises `fault`."""

    protocol = "faulty"
    cachable = False
    at = ""
    fault: Exception = OSError()

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        self.fail("info")
        return {"name": path, "size": len(CONTENT), "type": "file"}

    def open(self, path: str, *_: Any, **__: Any) -> Any:
        self.fail("open")
        hub = self

        class Stream(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                hub.fail("read")
                return super().read(size)

        return Stream(CONTENT)

    def fail(self, call: str) -> None:
        """Raise where that is what this call does."""
        if Faulty.at == call:
            raise Faulty.fault


fsspec.register_implementation("faulty", Faulty, clobber=True)


@pytest.fixture(autouse=True)
def _whole() -> Iterator[None]:
    """Nothing fails unless a test says so."""
    Faulty.at = ""
    yield
    Faulty.at = ""


def fetched(offset: int = 0) -> bytes:
    """Return all that comes from an offset on."""
    return b"".join(open_other(URL, offset).blocks)


def meaning(fault: Exception, at: str = "info") -> Exception:
    """Return what a fault becomes."""
    Faulty.at, Faulty.fault = at, fault
    with pytest.raises((SourceError, ConnectionError)) as raised:
        fetched()
    assert "hunter2" not in str(raised.value)
    return raised.value


class AnsweredError(Exception):
    """What an HTTP library raises for an answer."""

    def __init__(self, status: object) -> None:
        super().__init__("hunter2")
        self.response = SimpleNamespace(status_code=status)


@pytest.mark.parametrize("offset", [0, 1, 1 << 20, len(CONTENT) - 1, len(CONTENT)])
def test_a_file_is_read_from_an_offset(offset: int) -> None:
    """With the size of the whole, however much is read."""
    assert open_other(URL, offset).size == len(CONTENT)
    assert fetched(offset) == CONTENT[offset:]


def test_other_schemes_come_here() -> None:
    """What is neither S3 nor the web."""
    assert b"".join(open_remote(URL, 5, None, {}).blocks) == CONTENT[5:]


@pytest.mark.parametrize("at", ["info", "open", "read"])
@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_a_broken_connection(at: str, status: int) -> None:
    """Whichever call meets it."""
    found = meaning(AnsweredError(status), at)
    assert isinstance(found, ConnectionError)
    assert str(status) in str(found)


@pytest.mark.parametrize("at", ["info", "open", "read"])
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (AnsweredError(404), "404 Not Found"),
        (AnsweredError(401), "401 Unauthorized"),
        (FileNotFoundError("hunter2"), "no such file, or none that you may read"),
        (PermissionError("hunter2"), "no such file, or none that you may read"),
        (IsADirectoryError("hunter2"), "no such file, or none that you may read"),
        (ValueError("hunter2"), "the address can't be read"),
        (NotImplementedError("hunter2"), "the address can't be read"),
    ],
)
def test_what_will_not_pass_is_refused(at: str, fault: Exception, said: str) -> None:
    """With the weight's address, and why."""
    found = meaning(fault, at)
    assert isinstance(found, SourceError)
    (problem,) = found.problems
    assert problem.code == "weight-refused"
    assert (problem.message, problem.file) == (f"the weight {URL} can't be fetched: {said}", URL)


def test_packages_that_are_missing_are_named() -> None:
    """What to install is the way out."""
    found = meaning(ImportError("hunter2"))
    assert isinstance(found, SourceError)
    (problem,) = found.problems
    assert problem.code == "weight-source"
    assert problem.hint == "pip install 'clarifai-build[hf]'"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (JSONDecodeError("hunter2", "", 0), "the answer can't be understood"),
        (TimeoutError("hunter2"), "timed out"),
        (RuntimeError("hunter2"), "RuntimeError"),
        (AnsweredError("odd"), "AnsweredError"),
        (AnsweredError(None), "AnsweredError"),
    ],
)
def test_what_is_not_known_may_pass(fault: Exception, said: str) -> None:
    """An answer that is broken, a timeout, and whatever else a library raises."""
    found = meaning(fault)
    assert isinstance(found, ConnectionError)
    assert str(found) == said


def test_a_scheme_that_nothing_knows_is_refused() -> None:
    """It is no network's fault."""
    with pytest.raises(SourceError) as raised:
        open_other("nonsense://x", 0)
    assert raised.value.problems[0].code == "weight-refused"
