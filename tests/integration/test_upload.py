"""Uploads to a real S3: straight from the sources, whole or not at all, resumed, verified."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSResponse

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import make_tree
from clarifai_build.digests.files import CHUNK
from clarifai_build.errors import NotAuthorisedError, SourceError, StorageError
from clarifai_build.manifest.types import Storage
from clarifai_build.progress import Event
from clarifai_build.sandbox.endpoints import Endpoints
from clarifai_build.storage.public_download import prove_downloadable
from clarifai_build.storage.s3_store import S3Store, open_store
from clarifai_build.weights.locate import locate
from support.odd_store import Request, Silence, odd_store
from support.parts import cut
from support.trees import GENERATED, artifact_of, manifest_of, weight_of, write_files


@pytest.fixture
def store(sandbox: Endpoints) -> S3Store:
    """The sandbox's public bucket."""
    return open_store(storage_of(sandbox), sandbox.environ())


def storage_of(sandbox: Endpoints, **options: Any) -> Storage:
    """Return the public bucket as a manifest would name it."""
    return Storage(sandbox.bucket, endpoint_url=sandbox.s3_endpoint, **options)


def large(folder: Path, size: int = 3 * CHUNK + 12345) -> Artifact:
    """Return an artifact of several parts, with a small file before and behind."""
    write_files(folder, {"a.txt": os.urandom(20), "z.txt": b"z"})
    block = random.Random(folder.name).randbytes(1 << 20)
    with (folder / "w.bin").open("wb") as file:
        for at in range(0, size, len(block)):
            file.write(block[: size - at])
    return Artifact(make_tree(GENERATED, manifest_of(folder)))


def key_of(artifact: Artifact) -> str:
    """Return where it is published."""
    return f"uploads/{artifact.digest}/m_text-to-text.zip"


def content_of(store: S3Store, key: str) -> bytes:
    """Read an object back."""
    return store.client.get_object(Bucket=store.storage.bucket, Key=key)["Body"].read()


def unfinished(store: S3Store, key: str) -> list[Any]:
    """Return the multipart uploads of a key that are under way."""
    answer = store.client.list_multipart_uploads(Bucket=store.storage.bucket, Prefix=key)
    return answer.get("Uploads", [])


@pytest.mark.parametrize("size", [100, 17 << 20, 3 * CHUNK + 12345])
def test_the_object_is_the_artifact(store: S3Store, tmp_path: Path, size: int) -> None:
    """In one request, one part or many: the same bytes, and nothing left behind."""
    artifact = large(tmp_path, size)
    key = key_of(artifact)
    stored = store.put_artifact(key, artifact, {"clarifai-build-artifact-digest": artifact.digest})
    assert (stored.size, stored.metadata) == (
        artifact.size,
        {"clarifai-build-artifact-digest": artifact.digest},
    )
    assert hashlib.sha256(content_of(store, key)).digest() == _sha256(artifact)
    assert unfinished(store, key) == []
    prove_downloadable(store.url(key), artifact)


def test_what_is_there_is_not_sent_again(store: S3Store, tmp_path: Path) -> None:
    """The ETag and the time stay, and no progress is told."""
    artifact = artifact_of({"a": os.urandom(50)})
    first = store.put_artifact(key_of(artifact), artifact, {})
    events: list[Event] = []
    assert store.put_artifact(key_of(artifact), artifact, {}, events.append) == first
    assert events == []


def test_something_else_at_the_key_is_replaced(store: S3Store) -> None:
    """A key names its content, so other content is damage."""
    artifact = artifact_of({"a": os.urandom(50)})
    key = key_of(artifact)
    store.client.put_object(Bucket=store.storage.bucket, Key=key, Body=b"something else")
    assert store.put_artifact(key, artifact, {}).size == artifact.size
    assert content_of(store, key) == artifact.read(0, artifact.size)


def test_a_killed_upload_goes_on_from_its_finished_parts(
    sandbox: Endpoints, store: S3Store, tmp_path: Path
) -> None:
    """After `kill -9` in the middle, only the missing parts are sent: counted at the store."""
    artifact = large(tmp_path, 6 * CHUNK)
    key = key_of(artifact)
    process = _upload_in_a_process(sandbox, tmp_path, key)
    while not _parts(store, key):
        assert process.poll() is None, "the upload ended before it could be killed"
        time.sleep(0.005)
    process.kill()
    process.wait()
    there = _settled_parts(store, key)
    assert 0 < len(there) < len(cut(artifact))
    kept = sum(part["Size"] for part in there.values())
    with Counter(sandbox.s3_endpoint) as counter:
        storage = Storage(sandbox.bucket, endpoint_url=counter.endpoint)
        open_store(storage, sandbox.environ()).put_artifact(key, artifact, {})
    assert hashlib.sha256(content_of(store, key)).digest() == _sha256(artifact)
    assert artifact.size - kept <= counter.received < artifact.size - kept + (64 << 10)
    assert unfinished(store, key) == []


class Counter:
    """Stands before the store, and counts the bytes that reach it."""

    def __init__(self, endpoint: str) -> None:
        self.target = urlsplit(endpoint)
        self.received = 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self.server.getsockname()[1]}"

    def __enter__(self) -> Counter:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self.server.accept()
                store = socket.create_connection((self.target.hostname or "", self.target.port))
                for source, sink in ((client, store), (store, client)):
                    threading.Thread(
                        target=self._pass_on, args=(source, sink, sink is store), daemon=True
                    ).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(1 << 20):
                sink.sendall(block)
                self.received += len(block) if counts else 0
            sink.shutdown(socket.SHUT_WR)


def _settled_parts(store: S3Store, key: str) -> dict[int, Any]:
    """Return the parts, when the store has done with what it had received."""
    before: dict[int, Any] = {}
    while (now := _parts(store, key)) != before:
        before = now
        time.sleep(1)
    return now


def _sha256(artifact: Artifact) -> bytes:
    sha256 = hashlib.sha256()
    for block in artifact.blocks(0, artifact.size):
        sha256.update(block)
    return sha256.digest()


def _upload_in_a_process(
    sandbox: Endpoints, folder: Path, key: str, endpoint: str = ""
) -> subprocess.Popen[bytes]:
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from clarifai_build.artifact.artifact import Artifact\n"
        "from clarifai_build.manifest.types import Storage\n"
        "from clarifai_build.storage.s3_store import open_store\n"
        "from clarifai_build.artifact.tree import make_tree\nimport os\n"
        "from support.trees import GENERATED, manifest_of\n"
        "folder, key, bucket, endpoint = sys.argv[1:]\n"
        "artifact = Artifact(make_tree(GENERATED, manifest_of(Path(folder))))\n"
        "store = open_store(Storage(bucket, endpoint_url=endpoint), os.environ)\n"
        "store.put_artifact(key, artifact, {})\n"
    )
    environ = {**os.environ, **sandbox.environ(), "PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = [str(folder), key, sandbox.bucket, endpoint or sandbox.s3_endpoint]
    return subprocess.Popen([sys.executable, "-c", script, *arguments], env=environ)


def _parts(store: S3Store, key: str) -> dict[int, Any]:
    for upload in unfinished(store, key):
        answer = store.client.list_parts(
            Bucket=store.storage.bucket, Key=key, UploadId=upload["UploadId"]
        )
        return {part["PartNumber"]: part for part in answer.get("Parts", [])}
    return {}


def test_a_part_of_other_content_is_sent_again(store: S3Store, tmp_path: Path) -> None:
    """A part that does not match is not taken over from an upload that was broken off."""
    artifact = large(tmp_path)
    key = key_of(artifact)
    upload = store.client.create_multipart_upload(Bucket=store.storage.bucket, Key=key)
    store.client.upload_part(
        Bucket=store.storage.bucket,
        Key=key,
        UploadId=upload["UploadId"],
        PartNumber=1,
        Body=bytes(cut(artifact)[0].length),
    )
    store.put_artifact(key, artifact, {})
    assert content_of(store, key) == artifact.read(0, artifact.size)


def test_a_source_that_changes_aborts_the_upload(store: S3Store, tmp_path: Path) -> None:
    """Nothing is published, nothing is left behind, and the file is named."""
    artifact = large(tmp_path)
    key = key_of(artifact)

    def change(event: Event) -> None:
        if event.done and event.done > CHUNK:
            os.utime(tmp_path / "w.bin")

    with pytest.raises(SourceError, match=r"w\.bin changed while it was read"):
        store.put_artifact(key, artifact, {}, change)
    assert store.stat(key) is None
    assert unfinished(store, key) == []


def test_a_lie_about_the_content_is_refused_by_the_store(store: S3Store, tmp_path: Path) -> None:
    """Bytes that differ from the digests never become an object, whatever the stamps say."""
    artifact = large(tmp_path, 17 << 20)
    entries = tuple(
        entry._replace(chunks=(entry.crc32 ^ 1,)) if entry.path.endswith("w.bin") else entry
        for entry in artifact.tree.entries
    )
    liar = Artifact(type(artifact.tree)(entries))
    with pytest.raises(StorageError):
        store.put_artifact(key_of(liar), liar, {})
    assert store.stat(key_of(liar)) is None


def test_two_uploads_at_once_make_one_object(store: S3Store, tmp_path: Path) -> None:
    """Both succeed, and the object is right."""
    artifact = large(tmp_path)
    key = key_of(artifact)
    failures: list[BaseException] = []

    def upload() -> None:
        try:
            store.put_artifact(key, artifact, {})
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=upload) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert content_of(store, key) == artifact.read(0, artifact.size)


def test_a_store_without_checksums_works(sandbox: Endpoints, tmp_path: Path) -> None:
    """`checksums: when_required` sends none, and compares samples instead."""
    store = open_store(storage_of(sandbox, checksums="when_required"), sandbox.environ())
    artifact = large(tmp_path)
    store.put_artifact(key_of(artifact), artifact, {})
    assert content_of(store, key_of(artifact)) == artifact.read(0, artifact.size)


def test_presigned_urls_reach_a_private_bucket(sandbox: Endpoints, tmp_path: Path) -> None:
    """A stranger with the URL gets it, one without the signature does not."""
    storage = Storage(sandbox.private_bucket, endpoint_url=sandbox.s3_endpoint, access="presigned")
    store = open_store(storage, sandbox.environ())
    artifact = artifact_of({"a": os.urandom(50)})
    key = key_of(artifact)
    store.put_artifact(key, artifact, {})
    assert "X-Amz-Signature=" in store.url(key)
    prove_downloadable(store.url(key), artifact)
    with pytest.raises(StorageError) as caught:
        prove_downloadable(store.url(key).partition("?")[0], artifact)
    assert caught.value.problems[0].code == "not-public"


def test_wrong_keys_and_buckets_are_told_apart(sandbox: Endpoints) -> None:
    """Not authorised is another error than a missing bucket."""
    wrong = sandbox.environ() | {"AWS_SECRET_ACCESS_KEY": "wrong"}
    artifact = artifact_of({"a": b"a"})
    with pytest.raises(NotAuthorisedError):
        open_store(storage_of(sandbox), wrong).put_artifact("k", artifact, {})
    nowhere = Storage("nowhere", endpoint_url=sandbox.s3_endpoint)
    with pytest.raises(StorageError, match="nowhere"):
        open_store(nowhere, sandbox.environ()).put_artifact("k", artifact, {})


def test_an_interrupt_ends_an_upload(sandbox: Endpoints, store: S3Store, tmp_path: Path) -> None:
    """Ctrl-C stops every thread, also those that the store keeps waiting; what arrived stays."""
    artifact = large(tmp_path, 12 * CHUNK)
    key = key_of(artifact)

    def later_parts(request: Request) -> Silence | None:
        late = request.is_part and "partNumber=1&" not in request.path
        return Silence(forever=True) if late else None

    with odd_store(sandbox.s3_endpoint, later_parts) as odd:
        process = _upload_in_a_process(sandbox, tmp_path, key, odd.endpoint)
        while not (odd.silent.is_set() and _parts(store, key)):
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    assert list(_parts(store, key)) == [1]
    assert store.stat(key) is None


def test_weights_come_from_the_store_with_its_credentials(
    sandbox: Endpoints, store: S3Store, tmp_path: Path
) -> None:
    """`s3://` is read with the same endpoint and keys as the upload writes."""
    content = os.urandom(3 << 20)
    store.client.put_object(Bucket=sandbox.bucket, Key="weights/w.bin", Body=content)
    weight = weight_of("w.bin", f"s3://{sandbox.bucket}/weights/w.bin", content)
    manifest = replace(manifest_of(tmp_path, (weight,)), storage=storage_of(sandbox))
    environ = sandbox.environ() | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    (found,) = locate(manifest, environ=environ)
    assert Path(found.file).read_bytes() == content
    gone = weight_of("x.bin", f"s3://{sandbox.bucket}/weights/gone.bin", b"other")
    with pytest.raises(SourceError, match="can't be fetched"):
        locate(replace(manifest, weights=(gone,)), environ=environ)


@pytest.mark.parametrize("unknown", ["x-amz-checksum", "if-none-match"])
@pytest.mark.parametrize("size", [100, CHUNK + 12345])
def test_what_a_store_does_not_know_is_left_out(
    sandbox: Endpoints, tmp_path: Path, unknown: str, size: int
) -> None:
    """Checksums or conditions: the artifact arrives without them."""
    artifact = large(tmp_path, size)
    with Older(sandbox.s3_endpoint, unknown) as older:
        storage = Storage(sandbox.bucket, endpoint_url=older.endpoint)
        store = open_store(storage, sandbox.environ())
        store.put_artifact(key_of(artifact), artifact, {})
        assert hashlib.sha256(content_of(store, key_of(artifact))).digest() == _sha256(artifact)
    assert older.refused


class Older:
    """Stands before the store, and refuses requests with headers that begin in a certain way."""

    def __init__(self, endpoint: str, unknown: str) -> None:
        self.refused = 0
        outer = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                names = [name.lower() for name in self.headers]
                if self.command in ("PUT", "POST") and any(n.startswith(unknown) for n in names):
                    outer.refused += 1
                    self.reply(501, {}, b"<Error><Code>NotImplemented</Code></Error>")
                    return
                connection = HTTPConnection(urlsplit(endpoint).netloc)
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                self.reply(answer.status, dict(answer.headers), answer.read())
                connection.close()

            def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                length = headers.pop("Content-Length", len(body))
                headers.pop("Transfer-Encoding", None)
                for name, value in {**headers, "Content-Length": str(length)}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - their names

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Older:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.parametrize("size", [100, 2 * CHUNK])
def test_an_acl_is_given_to_what_is_there_already(
    sandbox: Endpoints, tmp_path: Path, size: int
) -> None:
    """An artifact that was published privately is opened by `access: public-read-acl`."""
    artifact = large(tmp_path, size)
    private = replace(storage_of(sandbox), bucket=sandbox.private_bucket)
    first = open_store(private, sandbox.environ())
    first.put_artifact(key_of(artifact), artifact, {})
    with pytest.raises(StorageError, match="403"):
        prove_downloadable(first.url(key_of(artifact)), artifact)
    asked: list[str] = []
    opened = open_store(replace(private, access="public-read-acl"), sandbox.environ())
    opened.client.meta.events.register(
        "before-send.s3.PutObjectAcl", lambda request, **_: asked.append(request.url)
    )
    opened.put_artifact(key_of(artifact), artifact, {})
    assert len(asked) == 1
    assert key_of(artifact) in asked[0]


def test_no_acl_is_asked_for_where_strangers_can_read(
    sandbox: Endpoints, store: S3Store, tmp_path: Path
) -> None:
    """Not every store knows how to change one."""
    artifact = large(tmp_path, 100)
    store.put_artifact(key_of(artifact), artifact, {})
    opened = open_store(storage_of(sandbox, access="public-read-acl"), sandbox.environ())

    def refuse(**_: Any) -> None:
        raise AssertionError("an ACL was asked for")

    opened.client.meta.events.register("before-send.s3.PutObjectAcl", refuse)
    opened.put_artifact(key_of(artifact), artifact, {})


def test_a_store_that_changes_no_acl_is_left_to_the_proof(
    sandbox: Endpoints, tmp_path: Path
) -> None:
    """The download is what tells whether anonymous clients can read."""
    artifact = large(tmp_path, 100)
    private = replace(storage_of(sandbox), bucket=sandbox.private_bucket)
    open_store(private, sandbox.environ()).put_artifact(key_of(artifact), artifact, {})
    opened = open_store(replace(private, access="public-read-acl"), sandbox.environ())
    answer = AWSResponse("", 501, {}, None)
    answer._content = b"<Error><Code>NotImplemented</Code></Error>"
    opened.client.meta.events.register("before-send.s3.PutObjectAcl", lambda **_: answer)
    stored = opened.put_artifact(key_of(artifact), artifact, {})
    assert stored.size == artifact.size
