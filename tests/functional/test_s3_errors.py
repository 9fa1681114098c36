"""A store that refuses, fails or is not there: what is told, and that no credentials are."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.config import Config

from clarifai_build.errors import (
    BuilderError,
    ConditionalWritesUnsupportedError,
    NotAuthorisedError,
    Problem,
    StorageError,
)
from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_errors import map_boto_errors
from clarifai_build.storage.s3_store import S3Store, open_store
from support.scripted_web import serving

KEYS = {"AWS_ACCESS_KEY_ID": "hunter1", "AWS_SECRET_ACCESS_KEY": "hunter2"}
ENVIRON = {**KEYS, "AWS_SESSION_TOKEN": "hunter3"}
KEY_ID = "AKIA" + "Q" * 16


class Store(ThreadingHTTPServer):
    """Answers every request alike; `{signed}` in the body becomes all that was signed."""

    daemon_threads = True
    status = 400
    body = ""
    date: datetime | None = None
    asked = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def says(self, status: int, code: str = "", message: str = "") -> None:
        """Answer with an error from now on."""
        self.status = status
        self.body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>" * bool(code)


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Store

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked += 1
        body = self.server.body.replace("{signed}", str(self.headers)).encode()
        self.send_response_only(self.server.status)
        if self.server.date:
            self.send_header("Date", format_datetime(self.server.date, usegmt=True))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_PUT = do_GET  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def store() -> Iterator[Store]:
    """The store, on the loopback interface."""
    with serving(Store(("127.0.0.1", 0), Answer)) as running:
        yield running


def opened(store: Store, environ: Mapping[str, str] = ENVIRON) -> S3Store:
    """Open the bucket there."""
    return open_store(Storage("b", endpoint_url=store.endpoint), environ)


def problem_of(caught: pytest.ExceptionInfo[BuilderError]) -> Problem:
    """Return what is told, which has nothing of the credentials and names the way out."""
    (problem,) = caught.value.problems
    for secret in ("hunter", "Signature=", KEY_ID):
        assert secret not in f"{problem.message} {problem.hint}"
    return problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_ACCESS_KEY_ID", "hunter1\n"),
        ("AWS_ACCESS_KEY_ID", " hunter1"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2\r\n"),
        ("AWS_SESSION_TOKEN", "hunter3\nhunter4"),
        ("AWS_SESSION_TOKEN", "hunter3é"),
    ],
)
def test_credentials_that_no_header_can_hold(store: Store, name: str, value: str) -> None:
    """The variable is named, not its value, and nothing is sent."""
    with pytest.raises(NotAuthorisedError) as caught:
        opened(store, {**ENVIRON, name: value}).stat("k")
    problem = problem_of(caught)
    assert problem.code == "credentials-malformed"
    assert name in problem.message
    assert name in (problem.hint or "")
    assert store.asked == 0


@pytest.mark.parametrize("missing", list(KEYS))
def test_half_a_pair_of_keys(store: Store, missing: str) -> None:
    """What is there is told, and what is not."""
    with pytest.raises(NotAuthorisedError, match=f"is set, and {missing} is not") as caught:
        opened(store, {name: value for name, value in KEYS.items() if name != missing})
    assert problem_of(caught).code == "no-credentials"


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ("nope", "there is no profile 'nope'"),
        ("half", "shared-credentials-file lacks aws_secret_access_key"),
        ("process", "custom-process gives none"),
        ("role", "can't be used"),
    ],
)
def test_profiles_that_give_no_credentials(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str, told: str
) -> None:
    """They are not authorised, and what a program of theirs says is not shown."""
    file = tmp_path / "credentials"
    file.write_text(
        "[half]\naws_access_key_id = hunter1\n"
        "[process]\ncredential_process = sh -c 'echo hunter2 >&2; exit 1'\n"
        "[role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = gone\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    with pytest.raises(NotAuthorisedError, match=told) as caught:
        opened(store, {"AWS_PROFILE": profile})
    problem = problem_of(caught)
    assert problem.code == "no-credentials"
    assert problem.hint


def test_a_line_break_in_a_file_of_credentials(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's HTTP client refuses the header, and repeats it; the tool does not."""
    file = tmp_path / "credentials"
    file.write_text(
        "[p]\naws_access_key_id = hunter1\naws_secret_access_key = hunter2\n"
        "aws_session_token = hunter3\n  hunter4\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    with pytest.raises(StorageError, match="HTTPClientError") as caught:
        opened(store, {"AWS_PROFILE": "p"}).stat("k")
    problem_of(caught)


@pytest.mark.parametrize(
    ("code", "shown"), [("Weird", "400 Weird"), ("{signed}", "400$"), (KEY_ID, "400$")]
)
def test_a_store_that_repeats_what_was_signed(store: Store, code: str, shown: str) -> None:
    """Its status is told, and its code if that is a word; nothing else that it says."""
    store.says(400, code, "StringToSign {signed}")
    with pytest.raises(StorageError, match=f"answers PutObject with {shown}") as caught:
        opened(store).write("k", b"")
    assert problem_of(caught).code == "store-failed"


@pytest.mark.parametrize(
    ("code", "way_out"),
    [
        ("AccessDenied", "need to read, list, write"),
        ("InvalidToken", "check AWS_ACCESS_KEY_ID"),
        ("UnrecognizedClientException", "check AWS_ACCESS_KEY_ID"),
        ("ExpiredTokenException", "get new ones"),
        ("TokenRefreshRequired", "get new ones"),
        ("RequestTimeTooSkewed", "clock"),
    ],
)
def test_credentials_that_the_store_does_not_take(store: Store, code: str, way_out: str) -> None:
    """Not authorised, whatever the store calls it, and each with its own way out."""
    store.says(400, code, "{signed}")
    with pytest.raises(NotAuthorisedError, match=code) as caught:
        opened(store).write("k", b"")
    problem = problem_of(caught)
    assert problem.code == "store-refused"
    assert way_out in (problem.hint or "")


@pytest.mark.parametrize(
    ("status", "off", "way_out"),
    [(400, 0, "get new"), (403, 0, "need to read"), (403, 20, "clock"), (403, -20, "clock")],
)
def test_refusals_without_a_body(store: Store, status: int, off: int, way_out: str) -> None:
    """HEAD has none: AWS answers 400 where a token expired, and 403 where a clock is off, too."""
    store.says(status)
    store.date = datetime.now(timezone.utc) + timedelta(minutes=off)
    with pytest.raises(NotAuthorisedError, match=f"HeadObject on bucket b: {status}") as caught:
        opened(store).stat("k")
    assert way_out in (problem_of(caught).hint or "")


@pytest.mark.parametrize("code", ["InvalidArgument", "InvalidRequest", "NotImplemented"])
def test_a_request_that_is_refused_with_and_without_its_condition(store: Store, code: str) -> None:
    """It is not the condition that the store does not know, and what it says is told."""
    store.says(400, code)
    with pytest.raises(StorageError, match=code) as caught:
        opened(store).put_if("k", b"", None)
    assert not isinstance(caught.value, ConditionalWritesUnsupportedError)
    assert problem_of(caught).code == "store-failed"


@pytest.mark.parametrize("code", ["InvalidArgument", "InvalidRequest"])
def test_a_request_without_a_condition_that_is_refused(store: Store, code: str) -> None:
    """The same answers mean something else there."""
    store.says(400, code)
    with pytest.raises(StorageError, match=code) as caught:
        opened(store).write("k", b"")
    assert problem_of(caught).code == "store-failed"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_an_address_that_leads_elsewhere(store: Store, status: int) -> None:
    """A web server sends http:// to https://, and botocore runs in circles: no bug of ours."""
    store.says(status)
    with pytest.raises(StorageError) as caught:
        opened(store).stat("k")
    problem = problem_of(caught)
    assert problem.code == "store-failed"
    assert "https://" in (problem.hint or "")


def test_a_host_name_that_botocore_does_not_take() -> None:
    """It is told as a mistake in the address, not as a bug."""
    with pytest.raises(StorageError, match="http://my_host:9000 can't be used"):
        open_store(Storage("b", endpoint_url="http://my_host:9000"), KEYS)


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "eu-central-1", "auto"])
def test_urls_are_signed_as_all_regions_take_it(region: str) -> None:
    """By version 4, for as long as that allows: seven days."""
    storage = Storage("b", region=region, access="presigned")
    url = open_store(storage, ENVIRON).url("k")
    assert "&X-Amz-Signature=" in url
    assert "&X-Amz-Expires=604800&" in url


class Silent:
    """Takes connections, and hangs up at once or never answers."""

    def __init__(self, *, hangs_up: bool) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._taken: list[socket.socket] = []
        self._hangs_up = hangs_up
        self.endpoint = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            connection.recv(1 << 16)
            if self._hangs_up:
                connection.close()
            self._taken.append(connection)


def unreachable(endpoint: str, **options: Any) -> Problem:
    """Ask there once, with a query that nobody should see, and return what is told."""
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="hunter1",
        aws_secret_access_key="hunter2",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=0.3, **options),
    )
    with pytest.raises(StorageError) as caught, map_boto_errors("b"):
        client.list_parts(Bucket="b", Key="k", UploadId="hunter5")
    problem = problem_of(caught)
    assert problem.code == "store-unreachable"
    assert problem.hint
    return problem


def test_stores_that_are_not_there(store: Store) -> None:
    """Each is told by its kind, with the host alone and what the system says of it."""
    closed, quiet = "http://127.0.0.1:9", Silent(hangs_up=False).endpoint
    assert unreachable(closed).message == f"bucket b: {closed} can't be reached: Connection refused"
    assert unreachable(quiet).message == f"bucket b: {quiet} does not answer in time"
    gone = Silent(hangs_up=True).endpoint
    assert f"{gone} hangs up" in unreachable(gone).message
    secure = store.endpoint.replace("http", "https")
    assert f"no TLS connection to {secure}: " in unreachable(secure).message
    proxies = {"http": "http://me:hunter6@127.0.0.1:9"}
    assert "the proxy http://127.0.0.1:9 can't" in unreachable(quiet, proxies=proxies).message
