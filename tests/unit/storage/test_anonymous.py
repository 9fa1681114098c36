"""What an anonymous client sees of a bucket, and where its objects are found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from clarifai_build.errors import StorageError
from clarifai_build.inspection.published_zip import Published, at_url
from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_endpoints import endpoint_of
from clarifai_build.storage.anonymous import crc_hex, look_at, read_start
from clarifai_build.storage.lazy_store import LazyStore, connect
from clarifai_build.storage.public_download import fetch_range


@pytest.mark.parametrize(
    ("storage", "environ", "url"),
    [
        (
            Storage("box", region="eu-central-1"),
            {"AWS_REGION": "us-west-2"},
            "https://box.s3.eu-central-1.amazonaws.com/a%20key",
        ),
        (
            Storage("box"),
            {"AWS_DEFAULT_REGION": "us-west-2"},
            "https://box.s3.us-west-2.amazonaws.com/a%20key",
        ),
        (Storage("box", endpoint_url="http://s3:1/"), {}, "http://s3:1/box/a%20key"),
        (
            Storage("box"),
            {"AWS_ENDPOINT_URL_S3": "http://s3:1", "AWS_ENDPOINT_URL": "http://all:2"},
            "http://s3:1/box/a%20key",
        ),
        (
            Storage("box"),
            {"AWS_ENDPOINT_URL_S3": "", "AWS_ENDPOINT_URL": "http://all:2"},
            "http://all:2/box/a%20key",
        ),
        (
            Storage("box", region="eu-central-1"),
            {
                "AWS_ENDPOINT_URL_S3": "http://s3:1",
                "AWS_ENDPOINT_URL": "http://all:2",
                "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True",
            },
            "https://box.s3.eu-central-1.amazonaws.com/a%20key",
        ),
        (
            Storage("box", endpoint_url="http://s3:1", public_base_url="https://cdn/x/"),
            {},
            "https://cdn/x/a%20key",
        ),
    ],
)
def test_url_is_known_without_a_client(storage: Storage, environ: dict[str, str], url: str) -> None:
    """The manifest, else the environment, says where an object is downloaded."""
    store = connect(storage, environ)
    assert isinstance(store, LazyStore)
    assert store.url("a key") == url


AWS_CONFIG = """
[default]
endpoint_url = http://all:1
[profile services]
services = mine
endpoint_url = http://all:1
[profile ignoring]
endpoint_url = http://all:1
ignore_configured_endpoint_urls = true
[profile kept]
region = eu-central-1
[profile odd]
services =
  s3 = http://odd:3
endpoint_url =
  s3 = http://odd:3
[services mine]
s3 =
  endpoint_url = http://s3:2
"""


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://all:1/box/key"),
        ({"AWS_PROFILE": "services"}, "http://s3:2/box/key"),
        ({"AWS_DEFAULT_PROFILE": "services"}, "http://s3:2/box/key"),
        ({"AWS_PROFILE": "kept"}, "http://secret:4/box/key"),
        ({"AWS_PROFILE": "ignoring"}, "https://box.s3.eu-west-1.amazonaws.com/key"),
        ({"AWS_PROFILE": "odd"}, "https://box.s3.eu-west-1.amazonaws.com/key"),
        ({"AWS_PROFILE": "none"}, "https://box.s3.eu-west-1.amazonaws.com/key"),
        ({"AWS_ENDPOINT_URL": "http://env:5"}, "http://env:5/box/key"),
        (
            {"AWS_ENDPOINT_URL": "http://env:5", "AWS_PROFILE": "ignoring"},
            "https://box.s3.eu-west-1.amazonaws.com/key",
        ),
        (
            {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false", "AWS_PROFILE": "ignoring"},
            "http://all:1/box/key",
        ),
        ({"AWS_PROFILE": "services", "AWS_DEFAULT_PROFILE": "kept"}, "http://secret:4/box/key"),
        (
            {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            "https://box.s3.eu-west-1.amazonaws.com/key",
        ),
    ],
)
def test_the_files_of_aws_name_an_endpoint(
    tmp_path: Path, environ: dict[str, str], url: str
) -> None:
    """As botocore reads them, or an artifact would lie where its public URL does not lead."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text(AWS_CONFIG)
    (tmp_path / ".aws/credentials").write_text("[kept]\nendpoint_url = http://secret:4\n")
    environ |= {"HOME": str(tmp_path)}
    assert connect(Storage("box", region="eu-west-1"), environ).url("key") == url


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"AWS_PROFILE": "services"},
        {"AWS_PROFILE": "services", "AWS_DEFAULT_PROFILE": "kept"},
        {"AWS_PROFILE": "ignoring", "AWS_ENDPOINT_URL_S3": "http://env:5"},
        {"AWS_PROFILE": "ignoring", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"},
        {"AWS_PROFILE": "kept", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
    ],
)
def test_the_files_of_aws_are_read_as_botocore_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    """Which is what sends the artifact."""
    import boto3

    environ = dict(environ)
    for variable, text in (
        ("AWS_CONFIG_FILE", AWS_CONFIG),
        ("AWS_SHARED_CREDENTIALS_FILE", "[kept]\nendpoint_url = http://secret:4\n"),
    ):
        (tmp_path / variable).write_text(text)
        environ[variable] = str(tmp_path / variable)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    asked = boto3.Session().client("s3", region_name="eu-west-1").meta.endpoint_url
    ours = endpoint_of(Storage("box"), environ)
    assert (ours or "https://s3.eu-west-1.amazonaws.com") == asked


@pytest.mark.parametrize("content", ["[default\nendpoint_url = http://h", "endpoint_url \xff"])
def test_broken_files_of_aws_name_nothing(tmp_path: Path, content: str) -> None:
    """Whoever signs with them says what is wrong."""
    (tmp_path / "config").write_text(content, encoding="latin-1")
    environ = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "HOME": str(tmp_path)}
    url = connect(Storage("box", region="eu-west-1"), environ).url("key")
    assert url == "https://box.s3.eu-west-1.amazonaws.com/key"


@pytest.mark.parametrize("address", ["http://me:hunter2@h", "http://me:p/hunter2@h", "http://[h"])
def test_addresses_with_a_password_are_refused(address: str) -> None:
    """They would stand in public URLs, and in what is told of them."""
    for refused in (
        lambda: connect(Storage("box"), {"AWS_ENDPOINT_URL_S3": address}),
        lambda: fetch_range(f"{address}/box/key?X-Amz-Signature=hunter3", 0, 1),
    ):
        with pytest.raises(StorageError) as raised:
            refused()
        assert "hunter" not in str(raised.value)


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
@pytest.mark.parametrize("address", ["https://h/?sig=hunter2", "https://h#hunter2"])
def test_addresses_that_no_key_can_be_appended_to(name: str, address: str) -> None:
    """The variable is named, what follows the path is not shown."""
    with pytest.raises(StorageError, match="a query or a fragment") as raised:
        connect(Storage("box"), {name: address})
    (problem,) = raised.value.problems
    assert problem.code == "address-query"
    assert name in (problem.hint or "")
    assert "hunter" not in problem.message


@pytest.mark.parametrize(
    ("encoded", "digits"),
    [("nY/0ew==", "9d8ff47b"), ("", ""), ("nY/0ew==-2", ""), ("AAA=", ""), ("*", "")],
)
def test_checksum_of_the_whole_content_only(encoded: str, digits: str) -> None:
    """A checksum of checksums says nothing of the content."""
    assert crc_hex(encoded) == digits


def test_what_can_not_be_seen_is_not_known() -> None:
    """Nobody answers: that is no proof that nothing is there."""
    assert look_at("http://127.0.0.1:9/box/key", "key") is None


def test_an_address_that_is_none_shows_nothing() -> None:
    """What can't even be asked for is not known either."""
    assert look_at("http://[bad/key", "key") is None


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (200, {"Content-Length": "7"}, b"con"),
        (200, {"Content-Length": "2"}, b"co"),
        (200, {}, None),
        (200, {"Content-Length": "x"}, None),
        (403, {"Content-Length": "7"}, None),
        (404, {"Content-Length": "7"}, None),
    ],
)
def test_the_start_of_an_object_is_what_was_sent_of_it(
    status: int, headers: Mapping[str, str], expected: bytes | None
) -> None:
    """No more than was asked for; an answer without a length, or an error, shows nothing."""
    with server(status, headers, b"content") as url:
        assert read_start(f"{url}/a", 3) == expected


def test_a_start_that_breaks_off_is_none() -> None:
    """A record that is cut is not taken for a whole one; nor is nobody's answer."""
    with server(200, {"Content-Length": "100"}, b"content") as url:
        assert read_start(f"{url}/a", 50) is None
    assert read_start("http://127.0.0.1:9/box/key", 5) is None


@contextmanager
def server(status: int, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    """Answer every GET like this, and give the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}/a.zip"
        finally:
            listening.shutdown()
            thread.join()


def code_of(url: str, offset: int = 4) -> str:
    """Return the code of the error of a fetch."""
    with pytest.raises(StorageError) as caught:
        fetch_range(url, offset, 2)
    return caught.value.problems[0].code


def test_a_range_is_read_with_and_without_the_servers_help() -> None:
    """A server may send the range, or the whole, of which the beginning is skipped."""
    with server(206, {"Content-Range": "bytes 4-5/10"}, b"45") as url:
        assert fetch_range(url, 4, 2) == (b"45", 10)
    with server(200, {"Content-Length": "10"}, b"0123456789") as url:
        assert fetch_range(url, 4, 2) == (b"45", 10)


@pytest.mark.parametrize("found", [{}, {"Content-Range": "bytes 0-1/10"}, {"Content-Range": "x"}])
def test_another_range_is_refused(found: dict[str, str]) -> None:
    """An answer that names no range, or another than was asked for, is no answer."""
    with server(206, found, b"01") as url:
        assert code_of(url) == "download-failed"


def test_no_gibibytes_are_skipped() -> None:
    """A server that ignores ranges is not read to the end of a huge zip."""
    with server(200, {"Content-Length": str(1 << 40)}, b"0123") as url:
        assert code_of(url, 1 << 39) == "ranges-ignored"


@pytest.mark.parametrize("url", ["http://[bad/x", "file://{}", "ftp://127.0.0.1:9/x"])
def test_only_web_addresses_are_opened(url: str, tmp_path: Path) -> None:
    """No file of this machine is read by a URL, and a broken URL is an error that says so."""
    (tmp_path / "file").write_bytes(b"0123456789")
    assert code_of(url.format(tmp_path / "file")) == "not-public"


def test_records_of_a_signed_url_come_from_the_bucket() -> None:
    """A signature opens the zip alone: its records are those that the bucket's owner sees."""
    there = Published("key", lambda offset, length: b"", 0, b"provenance", b"sbom")
    with server(200, {"Content-Length": "10"}, b"0123456789") as url:
        found = at_url(f"{url}?X-Amz-Signature=s", there)
        assert (found.size, found.read(2, 2)) == (10, b"23")
    assert (found.provenance, found.sbom) == (b"provenance", b"sbom")
