"""Parts on the wire: what is signed and sent, what an answer means, and how one is broken off."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.credentials import Credentials

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import make_tree
from clarifai_build.digests.files import CHUNK
from clarifai_build.errors import SourceError
from clarifai_build.net.s3_access import S3Access
from clarifai_build.storage.upload.part_connection import StoreAnsweredError, Wire
from clarifai_build.storage.upload.parts import Part
from support.fakes import artifact_of
from support.memory_s3 import BUCKET, HANG_UP, Answer, Bucket, Request, client_of, error
from support.parts import cut
from support.scripted_web import closed_port
from support.trees import manifest_of

KEY = "models/a b/ü.zip"
SMALL = artifact_of({"1/w.bin": bytes(range(256)) * 1000})


def wire_of(
    bucket: Bucket,
    upload: str,
    count: Callable[[int], None] = lambda _: None,
    *,
    checksums: bool = True,
) -> Wire:
    """Return the wire of an upload."""
    credentials = Credentials("key", "secret", "session")
    client = client_of(bucket.endpoint)
    return Wire(S3Access(client, credentials), BUCKET, KEY, upload, checksums, count)


def whole(artifact: Artifact) -> Part:
    """Return an artifact as one part."""
    return Part(1, 0, artifact.size, artifact.crc32(0, artifact.size))


def test_a_part_arrives(bucket: Bucket) -> None:
    """Signed, for its upload and number, with a checksum; each byte is counted once."""
    upload, counted = bucket.begin(KEY), [0]
    wire = wire_of(bucket, upload, counted.append)
    part = Part(7, 100, 150_000, SMALL.crc32(100, 150_000))
    etag = wire.send(SMALL, part)
    assert list(bucket.uploads[upload].parts) == [7]
    body, known, _ = bucket.uploads[upload].parts[7]
    assert body == SMALL.read(100, 150_000)
    assert etag == f'"{known}"'
    assert sum(counted) == 150_000
    (request,) = bucket.asked
    assert (request.key, request.query["partNumber"]) == (KEY, "7")
    assert request.query["uploadId"] == upload
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=key/")
    assert (
        request.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD" or "http:" in bucket.endpoint
    )
    assert request.headers["x-amz-security-token"] == "session"
    assert "x-amz-checksum-crc32" in request.headers
    assert wire.routes == set()


def test_no_checksum_is_sent_where_none_is_known(bucket: Bucket) -> None:
    """A store that does not know the header would refuse it."""
    wire_of(bucket, bucket.begin(KEY), checksums=False).send(SMALL, whole(SMALL))
    assert not [name for name in bucket.asked[0].headers if "checksum" in name]


def test_files_are_sent_from_where_they_lie(bucket: Bucket, large: Artifact) -> None:
    """By the kernel, with the heads of the zip before and between them."""
    upload, counted = bucket.begin(KEY), [0]
    wire = wire_of(bucket, upload, counted.append)
    for part in cut(large):
        wire.send(large, part)
    sent = b"".join(part[0] for part in bucket.uploads[upload].parts.values())
    assert sent == large.read(0, large.size)
    assert sum(counted) == large.size > CHUNK
    assert max(counted) <= 4 << 20


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (error(403, "AccessDenied"), 403, "AccessDenied"),
        (Answer(500, b"no document"), 500, "500"),
        (Answer(400, b"<Code> Odd </Code>"), 400, "Odd"),
        (Answer(200, b"<html>"), 200, "200"),
        (Answer(204), 204, "204"),
        (Answer(201, b"", {"ETag": '"e"'}), 201, "201"),
    ],
)
def test_an_answer_that_is_no_etag_is_an_error(
    bucket: Bucket, answer: Answer, status: int, code: str
) -> None:
    """Only 200 with an ETag means that the part is there."""
    bucket.before = lambda request: answer
    with pytest.raises(StoreAnsweredError) as raised:
        wire_of(bucket, bucket.begin(KEY)).send(SMALL, whole(SMALL))
    assert (raised.value.status, raised.value.code) == (status, code)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (403, "<Error><Code>AccessDenied</Code></Error>", "the store answers 403 AccessDenied"),
        (500, "hunter2", "the store answers 500"),
        (200, "<Code>Odd</Code>", "the store answers 200 without an ETag"),
        (400, f"<Code>{'A' * 65}</Code>", "the store answers 400"),
    ],
)
def test_only_status_and_code_of_an_answer_are_shown(status: int, body: str, said: str) -> None:
    """Anything else may repeat what was signed."""
    assert str(StoreAnsweredError(status, body)) == said


def test_a_connection_that_breaks_is_an_error(bucket: Bucket) -> None:
    """And is closed."""
    bucket.before = lambda request: HANG_UP
    wire = wire_of(bucket, bucket.begin(KEY))
    with pytest.raises(OSError, match="closed"):
        wire.send(SMALL, whole(SMALL))
    assert wire.routes == set()


def test_what_a_store_says_before_it_hangs_up_is_read() -> None:
    """It need not take a whole part to refuse it: why is told, and not that the pipe broke."""
    artifact = artifact_of({"1/w.bin": bytes(32 << 20)})
    answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 25\r\n\r\n<Code>AccessDenied</Code>\n"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        said = threading.Event()

        def refuse() -> None:
            connection, _ = listening.accept()
            connection.recv(100)
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            said.wait(60)
            connection.close()

        threading.Thread(target=refuse, daemon=True).start()
        endpoint = f"http://127.0.0.1:{listening.getsockname()[1]}"

        def count(_: int) -> None:
            said.set()

        bucket = Bucket(endpoint=endpoint)
        with pytest.raises(StoreAnsweredError, match="403 AccessDenied"):
            wire_of(bucket, "u", count).send(artifact, whole(artifact))


def test_a_wire_that_is_closed_sends_nothing(bucket: Bucket) -> None:
    """Not even a connection is made."""
    wire = wire_of(bucket, bucket.begin(KEY))
    wire.close()
    with pytest.raises(InterruptedError):
        wire.send(SMALL, whole(SMALL))
    assert bucket.asked == []


def test_closing_ends_what_is_being_sent(bucket: Bucket, large: Artifact) -> None:
    """Between two blocks: no more of the file goes out."""
    counted = [0]

    def count(number: int) -> None:
        counted.append(number)
        wire.close()

    wire = wire_of(bucket, bucket.begin(KEY), count)
    with pytest.raises((InterruptedError, OSError)):
        wire.send(large, cut(large)[0])
    assert sum(counted) < CHUNK
    assert bucket.uploads["u1"].parts == {}


def test_closing_ends_a_wait_for_an_answer(bucket: Bucket) -> None:
    """A store may take the part, and never say so."""
    hanging, over = threading.Event(), threading.Event()

    def hang(request: Request) -> None:
        hanging.set()
        over.wait()

    bucket.before = hang
    wire = wire_of(bucket, bucket.begin(KEY))

    def close() -> None:
        hanging.wait()
        wire.close()

    threading.Thread(target=close, daemon=True).start()
    with pytest.raises(OSError, match="closed"):
        wire.send(SMALL, whole(SMALL))
    over.set()
    assert wire.stop.is_set()


def test_nobody_listens() -> None:
    """That is an OSError, which may pass."""
    with pytest.raises(ConnectionRefusedError):
        wire_of(Bucket(endpoint=closed_port()), "u").send(SMALL, whole(SMALL))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that is large enough for the kernel to send it."""
    path = tmp_path / "code" / "w.bin"
    path.parent.mkdir()
    path.write_bytes(bytes(200_000))
    return path


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda path: path.unlink(), "vanished"),
        (lambda path: os.utime(path, (1, 1)), "changed"),
        (lambda path: path.write_bytes(b"short"), "changed"),
    ],
)
def test_a_source_that_is_another_is_not_sent(
    bucket: Bucket, file: Path, change: Callable[[Path], object], code: str
) -> None:
    """It is the user's file that is at fault, and not the store."""
    artifact = Artifact(make_tree({}, manifest_of(file.parent)))
    change(file)
    upload = bucket.begin(KEY)
    with pytest.raises(SourceError) as raised:
        wire_of(bucket, upload).send(artifact, whole(artifact))
    assert raised.value.problems[0].code == code
    assert bucket.uploads[upload].parts == {}


def test_a_source_that_changes_while_it_is_sent_is_found_out(bucket: Bucket, file: Path) -> None:
    """Also where the change comes after the file was opened: it ends before its size."""
    artifact = Artifact(make_tree({}, manifest_of(file.parent)))
    parts = []

    def count(number: int) -> None:
        parts.append(number)
        os.utime(file, (1, 1))

    upload = bucket.begin(KEY)
    with pytest.raises(SourceError) as raised:
        wire_of(bucket, upload, count).send(artifact, whole(artifact))
    assert raised.value.problems[0].code == "changed"
    assert bucket.uploads[upload].parts == {}


def test_tls_takes_blocks_that_the_kernel_can_not_send(bucket: Bucket, file: Path) -> None:
    """What is encrypted passes through this process: the same bytes, each counted once."""
    artifact = Artifact(make_tree({}, manifest_of(file.parent)))
    ends = socket.socketpair()
    contexts = [ssl.SSLContext(side) for side in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT)]
    for context in contexts:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ADH-AES128-GCM-SHA256:AECDH-AES128-SHA:@SECLEVEL=0")
    received = bytearray()

    def receive() -> None:
        with contexts[0].wrap_socket(ends[0], server_side=True) as server:
            while block := server.recv(1 << 16):
                received.extend(block)

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    counted: list[int] = []
    with contexts[1].wrap_socket(ends[1]) as client:
        wire_of(bucket, "u", counted.append)._send_body(client, artifact, whole(artifact))
    thread.join()
    assert bytes(received) == artifact.read(0, artifact.size)
    assert sum(counted) == artifact.size
