"""Uploads to stores that know less, forbid more or answer stranger things than S3 does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.errors import StorageError
from clarifai_build.manifest.types import Storage
from clarifai_build.progress import Event
from clarifai_build.sandbox.endpoints import Endpoints
from clarifai_build.storage import leases
from clarifai_build.storage.s3_store import S3Store, open_store
from support.odd_store import OddStore, Request, Rule, Say, Silence, Without, error, odd_store, once
from support.trees import artifact_of

PAGE = b"<html><body>Welcome</body></html>"
SUMMED = "x-amz-checksum-crc32"


@pytest.fixture(scope="module")
def content() -> dict[str, bytes]:
    """What needs a multipart upload, of one part."""
    return {"w.bin": os.urandom(17 << 20)}


@pytest.fixture
def artifact(content: dict[str, bytes]) -> Artifact:
    """An artifact that was never uploaded."""
    return artifact_of({**content, "new": os.urandom(20)})


def key_of(artifact: Artifact) -> str:
    """Return where it is published."""
    return f"odd/{artifact.digest}/m_text-to-text.zip"


def open_odd(sandbox: Endpoints, odd: OddStore) -> S3Store:
    """Open the public bucket by way of the odd store."""
    storage = Storage(sandbox.bucket, prefix="odd", endpoint_url=odd.endpoint)
    return open_store(storage, sandbox.environ())


def unfinished(sandbox: Endpoints, key: str) -> int:
    """Count the uploads of a key that are under way."""
    store = open_store(Storage(sandbox.bucket, endpoint_url=sandbox.s3_endpoint), sandbox.environ())
    answer = store.client.list_multipart_uploads(Bucket=sandbox.bucket, Prefix=key)
    return len(answer.get("Uploads", []))


def published(sandbox: Endpoints, artifact: Artifact, rule: Rule) -> tuple[OddStore, list[Event]]:
    """Upload by way of an odd store, and look at the real one that all is there."""
    told: list[Event] = []
    key = key_of(artifact)
    with odd_store(sandbox.s3_endpoint, rule) as odd:
        open_odd(sandbox, odd).put_artifact(key, artifact, {}, told.append)
    store = open_store(Storage(sandbox.bucket, endpoint_url=sandbox.s3_endpoint), sandbox.environ())
    assert store.read(key, 0, artifact.size) == artifact.read(0, artifact.size)
    return odd, told


@pytest.mark.parametrize(
    "act",
    [Say(None, b"FOO BAR\r\n\r\n"), Say(200), Say(200, PAGE), error(503, "SlowDown"), Silence()],
    ids=["garbage", "no ETag", "page", "slow down", "nothing"],
)
def test_a_part_that_gets_a_strange_answer_is_sent_again(
    sandbox: Endpoints, artifact: Artifact, act: Say
) -> None:
    """What something on the way made up may not come a second time."""
    odd, _ = published(sandbox, artifact, once(lambda request: act if request.is_part else None))
    assert len([request for request in odd.asked if request.is_part]) == 2


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (Say(None, b"hunter2\r\n\r\n"), "does not speak HTTP"),
        (Say(200, b"hunter2"), "answers 200 without an ETag"),
    ],
)
def test_a_part_that_gets_nothing_but_strange_answers(
    sandbox: Endpoints, artifact: Artifact, act: Say, told: str
) -> None:
    """In the end it is told, with the way out, and without the answer: it may repeat secrets."""
    with (
        odd_store(sandbox.s3_endpoint, for_parts(act)) as odd,
        pytest.raises(StorageError, match=told) as raised,
    ):
        open_odd(sandbox, odd).put_artifact(key_of(artifact), artifact, {})
    (problem,) = raised.value.problems
    assert "endpoint_url" in str(problem.hint)
    assert "hunter2" not in str(problem)


def for_parts(act: Say) -> Rule:
    """Return a rule for every part."""
    return lambda request: act if request.is_part else None


@pytest.mark.parametrize("page", [PAGE, b"<html/>"])
def test_what_begins_no_upload_is_no_s3_store(
    sandbox: Endpoints, artifact: Artifact, page: bytes
) -> None:
    """A login page that answers 200 to all is no bug of ours, and the way out is named."""

    def rule(request: Request) -> Say | None:
        return Say(200, page) if request.begins else None

    with (
        odd_store(sandbox.s3_endpoint, rule) as odd,
        pytest.raises(StorageError, match="is not an S3 store") as raised,
    ):
        open_odd(sandbox, odd).put_artifact(key_of(artifact), artifact, {})
    (problem,) = raised.value.problems
    assert problem.code == "not-s3"
    assert "endpoint_url" in str(problem.hint)


@pytest.mark.parametrize(
    ("header", "call"),
    [
        ("etag", lambda store: store.stat("odd/there")),
        ("etag", lambda store: store.get("odd/there")),
        ("last-modified", lambda store: store.get("odd/there")),
        ("etag", lambda store: store.put_if("odd/new", b"", None)),
    ],
)
def test_headers_that_every_store_sends(sandbox: Endpoints, header: str, call: object) -> None:
    """Where one is missing, that is said."""
    assert callable(call)
    with odd_store(sandbox.s3_endpoint, lambda _: Without(header)) as odd:
        store = open_odd(sandbox, odd)
        store.write("odd/there", b"x")
        store.delete("odd/new")
        with pytest.raises(StorageError, match="has no"):
            call(store)


def test_a_listing_that_is_a_page(sandbox: Endpoints) -> None:
    """It is not taken for an empty one."""
    with odd_store(sandbox.s3_endpoint, lambda _: Say(200, PAGE)) as odd:
        store = open_odd(sandbox, odd)
        with pytest.raises(StorageError, match="is not an S3 store"):
            list(store.find("odd/"))


@pytest.mark.parametrize("header", ["Last-Modified", "Content-Length"])
def test_an_answer_that_makes_no_sense(sandbox: Endpoints, header: str) -> None:
    """A time that is none, or a length, is told as what it is."""
    head = f"HTTP/1.1 200 OK\r\nETag: x\r\n{header}: yesterday\r\n\r\n".encode()
    with odd_store(sandbox.s3_endpoint, lambda _: Say(None, head)) as odd:
        store = open_odd(sandbox, odd)
        for look in (store.stat, store.get):
            with pytest.raises(StorageError, match="can't be read"):
                look("odd/there")


def test_answers_without_a_date(sandbox: Endpoints, artifact: Artifact) -> None:
    """This machine's clock is taken where the store tells none: leases are kept by it."""
    published(sandbox, artifact, lambda _: Without("date"))
    with odd_store(sandbox.s3_endpoint, lambda _: Without("date")) as odd:
        store = open_odd(sandbox, odd)
        mine, yours = leases.Holder.here("mine"), leases.Holder.here("yours")
        with (
            leases.held(store, "odd/.leases/m", mine),
            pytest.raises(leases.LeaseHeldError, match="last renewed"),
            leases.held(store, "odd/.leases/m", yours),
        ):
            pytest.fail("both hold it")
        assert store.get("odd/.leases/m") is None
        store.write("odd/there", b"x")
        assert [abs(found.age) < 600 for found in store.find("odd/there")] == [True]


@pytest.mark.parametrize("code", ["InvalidArgument", "InvalidRequest", "NotImplemented"])
def test_parts_without_checksums(sandbox: Endpoints, artifact: Artifact, code: str) -> None:
    """A store that begins an upload with checksums and refuses them on parts gets another one."""
    refusal = error(501 if code == "NotImplemented" else 400, code)
    odd, _ = published(
        sandbox,
        artifact,
        lambda request: refusal if request.is_part and SUMMED in request.headers else None,
    )
    begun = [request for request in odd.asked if request.begins]
    assert ["x-amz-checksum-algorithm" in request.headers for request in begun] == [True, False]
    assert any(request.aborts for request in odd.asked)
    assert unfinished(sandbox, key_of(artifact)) == 0


def test_a_store_that_refuses_all_parts(sandbox: Endpoints, artifact: Artifact) -> None:
    """What has nothing to do with checksums is an error all the same, and ends."""
    rule = for_parts(error(400, "InvalidArgument"))
    with (
        odd_store(sandbox.s3_endpoint, rule) as odd,
        pytest.raises(StorageError, match="400 InvalidArgument"),
    ):
        open_odd(sandbox, odd).put_artifact(key_of(artifact), artifact, {})


def test_a_refused_part_names_the_way_out(sandbox: Endpoints, artifact: Artifact) -> None:
    """Some store may call checksums what nobody has foreseen."""
    with (
        odd_store(sandbox.s3_endpoint, for_parts(error(400, "UnknownHeader"))) as odd,
        pytest.raises(StorageError, match="400 UnknownHeader") as raised,
    ):
        open_odd(sandbox, odd).put_artifact(key_of(artifact), artifact, {})
    assert "checksums: when_required" in str(raised.value.problems[0].hint)


def test_a_store_without_multipart_uploads(sandbox: Endpoints, artifact: Artifact) -> None:
    """It is asked with and without checksums, and no more."""

    def rule(request: Request) -> Say | None:
        return error(400, "InvalidRequest") if request.begins else None

    with odd_store(sandbox.s3_endpoint, rule) as odd, pytest.raises(StorageError):
        open_odd(sandbox, odd).put_artifact(key_of(artifact), artifact, {})
    assert len([request for request in odd.asked if request.begins]) == 2


@pytest.mark.parametrize(
    "act",
    [
        error(403, "AccessDenied"),
        error(405, "MethodNotAllowed"),
        error(400, "Whatever"),
        Say(200, b"no XML"),
        Say(200, PAGE),
    ],
    ids=["403", "405", "400", "garbage", "page"],
)
@pytest.mark.parametrize("asked", ["lists_uploads", "lists_parts", "aborts"])
def test_resuming_and_tidying_never_fail_an_upload(
    sandbox: Endpoints, artifact: Artifact, asked: str, act: Say
) -> None:
    """Where a store does not let us see or abort what lies about, an upload works all the same."""
    direct = open_store(
        Storage(sandbox.bucket, endpoint_url=sandbox.s3_endpoint), sandbox.environ()
    )
    for _ in range(2):
        direct.client.create_multipart_upload(Bucket=sandbox.bucket, Key=key_of(artifact))
    odd, _ = published(sandbox, artifact, lambda request: act if getattr(request, asked) else None)
    assert any(getattr(request, asked) for request in odd.asked)


def test_a_lost_answer_is_not_taken_for_another_upload(
    sandbox: Endpoints, artifact: Artifact
) -> None:
    """All that is known is that the artifact is there: it may well be we who made it so."""

    def lose(request: Request) -> Silence | None:
        return Silence(asked=True) if request.completes else None

    _, told = published(sandbox, artifact, once(lose))
    messages = [event.message for event in told if event.message]
    assert "another upload" not in "".join(messages)


def test_a_store_that_calls_conditions_invalid(sandbox: Endpoints) -> None:
    """Leases do without, after a warning."""

    def rule(request: Request) -> Say | None:
        return error(400, "InvalidArgument") if "if-none-match" in request.headers else None

    told: list[Event] = []
    with odd_store(sandbox.s3_endpoint, rule) as odd:
        store = open_odd(sandbox, odd)
        holder = leases.Holder.here("mine")
        with leases.held(store, "odd/.leases/c", holder, told.append) as lease:
            assert lease is None
    assert "no conditional writes" in told[0].message


def test_parts_by_a_proxy_with_a_password(
    sandbox: Endpoints, artifact: Artifact, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They go the way that all else goes, as whom all else goes."""

    def rule(request: Request) -> Say | None:
        return None if request.headers.get("proxy-authorization") == BOB else Say(407)

    with odd_store(sandbox.s3_endpoint, rule) as proxy:
        by_proxy(monkeypatch, proxy, "bob:hunter%32")
        direct = Storage(sandbox.bucket, endpoint_url=sandbox.s3_endpoint)
        store = open_store(direct, sandbox.environ())
        store.put_artifact(key_of(artifact), artifact, {})
    assert any(request.is_part for request in proxy.asked)


BOB = "Basic Ym9iOmh1bnRlcjI="


def by_proxy(monkeypatch: pytest.MonkeyPatch, proxy: OddStore, user: str) -> None:
    """Let HTTP go by a proxy."""
    address = proxy.endpoint.replace("http://", f"http://{user}@")
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, address)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "nowhere.test")


def test_a_proxy_that_refuses_a_password_does_not_tell_it(
    sandbox: Endpoints, artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does the error."""

    def rule(request: Request) -> Say | None:
        return Say(407) if request.is_part else None

    with odd_store(sandbox.s3_endpoint, rule) as proxy:
        by_proxy(monkeypatch, proxy, "bob:hunter2")
        direct = Storage(sandbox.bucket, endpoint_url=sandbox.s3_endpoint)
        store = open_store(direct, sandbox.environ())
        with pytest.raises(StorageError, match="407") as raised:
            store.put_artifact(key_of(artifact), artifact, {})
    assert "hunter2" not in repr(raised.value.problems)
