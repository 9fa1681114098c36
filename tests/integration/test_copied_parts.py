"""What a real S3 has already is copied there: proven by its checksums, or sent."""

from __future__ import annotations

import os
import pickle
import random
import signal
import subprocess
import sys
import threading
from typing import NamedTuple

import pytest

from clarifai_build.artifact.absent import Absent, AbsentContentError
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import FileTree
from clarifai_build.cancellation import CancelToken
from clarifai_build.errors import StorageError
from clarifai_build.manifest.types import Storage
from clarifai_build.progress import Event
from clarifai_build.sandbox.endpoints import Endpoints
from clarifai_build.storage.public_download import prove_downloadable
from clarifai_build.storage.s3_store import S3Store, open_store
from clarifai_build.storage.upload.copy_sources import LEAST_PART, CopySource
from support.odd_store import OddStore, Request, Rule, Say, Silence, error, odd_store, once
from support.trees import artifact_of, without_content

MIB = 1 << 20
NAMES = ("1/a.bin", "1/c.bin", "1/e.bin")


class World(NamedTuple):
    """A bucket with the zip of before, and the zip of now, which has two lines more."""

    store: S3Store
    before: Artifact
    now: Artifact
    source: CopySource
    sandbox: Endpoints

    @property
    def key(self) -> str:
        return key_of(self.now)

    def with_own_source(self) -> World:
        """Return a world whose zip of before is nobody else's."""
        bucket, key = self.sandbox.bucket, f"{self.key}.before"
        self.store.client.copy_object(
            Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": self.source.key}
        )
        stored = self.store.stat(key)
        assert stored is not None
        return self._replace(source=self.source._replace(key=key, etag=stored.etag))

    def publish(self, artifact: Artifact, rule: Rule, told: list[Event]) -> OddStore:
        """Upload by way of an odd store."""
        with odd_store(self.sandbox.s3_endpoint, rule) as odd:
            storage = Storage(self.sandbox.bucket, prefix="copied", endpoint_url=odd.endpoint)
            store = open_store(storage, self.sandbox.environ())
            store.put_artifact(self.key, artifact, {}, told.append, sources=[self.source])
        return odd

    def published(self, rule: Rule = lambda request: None) -> tuple[OddStore, list[str]]:
        """Upload, see that the real store has the zip of now, and return the warnings besides."""
        told: list[Event] = []
        odd = self.publish(self.now, rule, told)
        self.check()
        return odd, [event.warning.message for event in told if event.warning]

    def check(self) -> None:
        assert self.store.read(self.key, 0, self.now.size) == self.now.read(0, self.now.size)


def key_of(artifact: Artifact) -> str:
    """Return where it is published."""
    return f"copied/{artifact.digest}/m_text-to-text.zip"


@pytest.fixture(scope="module")
def weights() -> dict[str, bytes]:
    """Three weights, each of which is a part or two."""
    return {name: random.Random(name).randbytes(11 * MIB) for name in NAMES}


@pytest.fixture(scope="module")
def published(sandbox: Endpoints, weights: dict[str, bytes]) -> World:
    """What was published before."""
    storage = Storage(sandbox.bucket, prefix="copied", endpoint_url=sandbox.s3_endpoint)
    store = open_store(storage, sandbox.environ())
    before = artifact_of({**weights, "1/b.py": b"b", "1/d.py": b"d"})
    stored = store.put_artifact(key_of(before), before, {})
    source = CopySource.of_zip(sandbox.bucket, key_of(before), stored.etag, before)
    return World(store, before, before, source, sandbox)


@pytest.fixture
def world(published: World, weights: dict[str, bytes]) -> World:
    """What was published, and what is about to be: never before."""
    new = artifact_of({**weights, "1/b.py": os.urandom(8), "1/d.py": os.urandom(8)})
    return published._replace(now=new)


def test_only_what_is_new_travels(world: World) -> None:
    """Two parts of the least length, and the zip's directory; the rest is copied and proven."""
    odd, warnings = world.published()
    assert 2 * LEAST_PART < sum(request.sent for request in odd.asked) < 2 * LEAST_PART + 1000
    assert len([request for request in odd.asked if request.is_copy]) == 3
    assert warnings == []
    stored = world.store.stat(world.key)
    assert stored is not None
    assert stored.crc32 == f"{world.now.crc32(0, world.now.size):08x}"
    prove_downloadable(world.store.url(world.key), world.now)


def test_a_weight_of_its_own_is_copied(world: World, weights: dict[str, bytes]) -> None:
    """From where it lies in the same store, in another bucket than the zip."""
    weight = weights["1/a.bin"]
    bucket = world.sandbox.private_bucket
    world.store.client.put_object(Bucket=bucket, Key="weights/w ä.bin", Body=weight)
    etag = world.store.client.head_object(Bucket=bucket, Key="weights/w ä.bin")["ETag"]
    artifact = artifact_of({"1/a.py": os.urandom(8), "1/w.bin": weight, "1/x.bin": bytes(9 * MIB)})
    (entry,) = (entry for entry in artifact.tree.entries if entry.path == "1/w.bin")
    source = CopySource.of_file(bucket, "weights/w ä.bin", etag, entry.sha256, len(weight))
    told: list[Event] = []
    lacking = without_content(artifact, "1/w.bin")
    world.store.put_artifact(key_of(artifact), lacking, {}, told.append, sources=[source])
    got = world.store.read(key_of(artifact), 0, artifact.size)
    assert got == artifact.read(0, artifact.size)
    assert [event.warning for event in told if event.warning] == []


def test_a_source_that_is_altered_is_sent(world: World) -> None:
    """Between plan and copy: its ETag is another, and nothing of it gets into the zip."""
    world = world.with_own_source()
    world.store.write(world.source.key, bytes(world.before.size))
    _, warnings = world.published()
    assert warnings == [
        f"{world.source.key} is not copied at the store: it was replaced since it was put on record"
    ]


def test_a_source_that_vanishes_between_two_copies_is_sent(world: World) -> None:
    """What was copied before stays."""
    world = world.with_own_source()

    def remove(request: Request) -> None:
        if request.is_copy and request.part > 1:
            world.store.delete(world.source.key)

    odd, warnings = world.published(remove)
    assert warnings == [f"{world.source.key} is not copied at the store: it is gone"]
    assert sum(request.sent for request in odd.asked) < world.now.size - 10 * MIB


@pytest.mark.parametrize(
    "code", ["AccessDenied", "NotImplemented", "InvalidRequest", "EntityTooSmall"]
)
def test_what_a_store_does_not_copy_is_sent(world: World, code: str) -> None:
    """Another account or region, SSE-C, no such request: one line says what it answered."""
    odd, (warning,) = world.published(lambda r: error(403, code) if r.is_copy else None)
    assert code in warning
    assert sum(request.sent for request in odd.asked) == world.now.size


def test_an_error_in_the_body_of_a_200_is_no_copy(world: World) -> None:
    """S3 has begun its answer by then; the copy is asked for again."""
    failed = Say(200, error(500, "InternalError").body)
    odd, warnings = world.published(once(lambda r: failed if r.is_copy else None))
    assert warnings == []
    assert len([request for request in odd.asked if request.is_copy]) == 4


def test_a_copy_whose_answer_is_lost_is_made_again(world: World) -> None:
    """The part is there twice, which the store sorts out by its ETag."""
    lost = Silence(asked=True)
    _, warnings = world.published(once(lambda r: lost if r.is_copy else None))
    assert warnings == []


def test_a_completion_whose_answer_is_lost_was_made(world: World) -> None:
    """The object is whole all the same."""
    lost = Silence(asked=True)
    _, warnings = world.published(once(lambda r: lost if r.completes else None))
    assert warnings == []


def test_a_completion_that_fails_leaves_nothing_at_the_key(world: World) -> None:
    """The copies stay, and the next run asks for none of them."""
    with pytest.raises(StorageError):
        world.publish(world.now, lambda r: error(403, "Refused") if r.completes else None, [])
    assert world.store.stat(world.key) is None
    odd, _ = world.published()
    assert not [request for request in odd.asked if request.is_part]


def test_a_run_that_was_killed_between_copies_is_gone_on_with(world: World) -> None:
    """After `kill -9` only what is missing is sent and copied."""

    def later(request: Request) -> Silence | None:
        return Silence(forever=True) if request.is_copy and request.part > 1 else None

    with odd_store(world.sandbox.s3_endpoint, later) as odd:
        process = _publish_in_a_process(world, odd.endpoint)
        odd.silent.wait(60)
        _wait_for_parts(world, 4)
        process.send_signal(signal.SIGKILL)
        process.wait()
    odd, _ = world.published()
    parts = [request for request in odd.asked if request.is_part]
    assert [request.is_copy for request in parts] == [True, True]


def _wait_for_parts(world: World, count: int) -> None:
    """Wait until the store has so many parts of the upload."""
    client, bucket = world.store.client, world.sandbox.bucket
    pause = threading.Event()
    for _ in range(600):
        uploads = client.list_multipart_uploads(Bucket=bucket, Prefix=world.key).get("Uploads", [])
        for upload in uploads:
            listed = client.list_parts(Bucket=bucket, Key=world.key, UploadId=upload["UploadId"])
            if len(listed.get("Parts", [])) >= count:
                return
        pause.wait(0.1)
    raise AssertionError("the parts did not arrive")


def _publish_in_a_process(world: World, endpoint: str) -> subprocess.Popen[bytes]:
    script = (
        "import os, pickle, sys\n"
        "from clarifai_build.manifest.types import Storage\n"
        "from clarifai_build.storage.s3_store import open_store\n"
        "bucket, endpoint, key = sys.argv[1:]\n"
        "tree, source = pickle.load(sys.stdin.buffer)\n"
        "from clarifai_build.artifact.artifact import Artifact\n"
        "store = open_store(Storage(bucket, prefix='copied', endpoint_url=endpoint), os.environ)\n"
        "store.put_artifact(key, Artifact(tree), {}, sources=[source])\n"
    )
    environ = {**os.environ, **world.sandbox.environ(), "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", script, world.sandbox.bucket, endpoint, world.key],
        env=environ,
        stdin=subprocess.PIPE,
    )
    assert process.stdin is not None
    pickle.dump((world.now.tree, world.source), process.stdin)
    process.stdin.close()
    return process


def test_copies_that_hang_are_cancelled(world: World) -> None:
    """While the store does not answer; nothing lies at the key."""
    cancel = CancelToken()

    def hang(request: Request) -> Silence | None:
        if not request.is_copy:
            return None
        cancel.cancel()
        return Silence(forever=True)

    with odd_store(world.sandbox.s3_endpoint, hang) as odd:
        storage = Storage(world.sandbox.bucket, prefix="copied", endpoint_url=odd.endpoint)
        store = open_store(storage, world.sandbox.environ())
        with pytest.raises(KeyboardInterrupt):
            store.put_artifact(world.key, world.now, {}, cancel=cancel, sources=[world.source])
    assert world.store.stat(world.key) is None


def test_absent_content_is_put_together_at_the_store(world: World) -> None:
    """No weight is on this machine: what parts take along is read, and no more."""
    lacking = without_content(world.now, *NAMES)
    odd = world.publish(lacking, lambda request: None, [])
    world.check()
    ranges = [r.headers["range"] for r in odd.asked if r.method == "GET" and "range" in r.headers]
    ends = [one.removeprefix("bytes=").split("-") for one in ranges]
    assert 0 < sum(int(end) - int(start) + 1 for start, end in ends) < 2 * LEAST_PART


def test_a_lie_about_absent_content_never_becomes_an_object(world: World) -> None:
    """CRC-32s of a forged record are not those that the store computes: the content is needed."""
    lacking = without_content(world.now, *NAMES)
    entries = tuple(
        entry._replace(chunks=(entry.chunks[0] ^ 1,)) if isinstance(entry.source, Absent) else entry
        for entry in lacking.tree.entries
    )
    liar = Artifact(FileTree(entries))
    with pytest.raises(AbsentContentError):
        world.publish(liar, lambda request: None, [])
    assert world.store.stat(world.key) is None
