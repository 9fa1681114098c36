"""Where a bucket is: one answer, for requests, for parts, and for the URL that is published."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest

from clarifai_build.errors import StorageError
from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_access import address_of
from clarifai_build.net.s3_client import client_of, session_of
from clarifai_build.net.s3_endpoints import plain_url
from clarifai_build.storage.lazy_store import connect
from clarifai_build.storage.public_download import prove_downloadable
from clarifai_build.storage.s3_store import open_store
from support.fake_aws import HOME, FakeAws
from support.fakes import artifact_of
from support.memory_s3 import BUCKET, KEYS, Answer, Bucket, Request

KEY = f"models/lines/{'ab' * 32}/lines.zip"
SMALL = artifact_of({"1/w.bin": b"content"})
LARGE = artifact_of({"1/w.bin": bytes(17 << 20)})


def host_asked(storage: Storage, environ: dict[str, str]) -> str:
    """Return the host and path that a request for an object would go to."""
    client = open_store(storage, {**KEYS, **environ}).client
    asked: list[str] = []

    def stop(request: object, **_: object) -> None:
        asked.append(str(getattr(request, "url", "")))
        raise ConnectionAbortedError

    client.meta.events.register("before-send.s3", stop)
    with pytest.raises(ConnectionAbortedError):
        client.head_object(Bucket=storage.bucket, Key="a b/ü")
    return asked[0]


@pytest.mark.parametrize(
    ("storage", "environ", "config", "url"),
    [
        (("my.models", HOME), {}, "", "https://s3.eu-central-1.amazonaws.com/my.models/"),
        (("my-models", HOME), {}, "", "https://my-models.s3.eu-central-1.amazonaws.com/"),
        (("my-models", "us-east-1"), {}, "", "https://my-models.s3.us-east-1.amazonaws.com/"),
        (("my-models", "cn-north-1"), {}, "", "https://my-models.s3.cn-north-1.amazonaws.com.cn/"),
        (
            ("my-models", "us-gov-west-1"),
            {},
            "",
            "https://my-models.s3.us-gov-west-1.amazonaws.com/",
        ),
        (
            ("my-models", HOME),
            {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
            "",
            "https://my-models.s3.dualstack.eu-central-1.amazonaws.com/",
        ),
        (
            ("my-models", "us-west-2"),
            {"AWS_USE_FIPS_ENDPOINT": "true"},
            "",
            "https://my-models.s3-fips.us-west-2.amazonaws.com/",
        ),
        (
            ("my-models", HOME),
            {},
            "s3 =\n  addressing_style = path\n",
            "https://s3.eu-central-1.amazonaws.com/my-models/",
        ),
        (
            ("my-models", "", "https://store.test:9000"),
            {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
            "",
            "https://store.test:9000/my-models/",
        ),
        (
            ("my-models", "", "https://store.test:9000"),
            {},
            "s3 =\n  addressing_style = virtual\n",
            "https://my-models.store.test:9000/",
        ),
        (("my-models", ""), {}, "region = ap-south-1\n", "https://my-models.s3.ap-south-1"),
    ],
)
def test_the_public_url_is_where_requests_go(
    no_aws: Path, storage: tuple[str, ...], environ: dict[str, str], config: str, url: str
) -> None:
    """Dots, partitions, dual stack, FIPS and styles: whatever botocore makes of them."""
    (no_aws / ".aws/config").write_text(f"[default]\n{config}")
    bucket, region, endpoint = (*storage, "")[:3]
    described = Storage(bucket, region=region or None, endpoint_url=endpoint or None)
    found = connect(described, {**KEYS, "HOME": str(no_aws), **environ}).url("a b/ü")
    assert found.startswith(url)
    assert found.endswith("/a%20b/%C3%BC")
    assert found == host_asked(described, {"HOME": str(no_aws), **environ})


def test_what_is_plain_to_see_is_what_botocore_says(no_aws: Path) -> None:
    """In every region of every partition: or it is not plain, and botocore is asked."""
    session = boto3.Session()
    regions = [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("s3", partition)
    ]
    environ = {"HOME": str(no_aws)}
    ours = session_of(environ)
    plain = {}
    for region in regions:
        storage = Storage("my-models", region=region)
        if url := plain_url(storage, environ, "k"):
            client = client_of(ours, storage, environ, signed=False)
            plain[url] = address_of(client, "get_object", Bucket="my-models", Key="k").url
    assert list(plain) == list(plain.values())
    assert len(plain) > 20
    assert len(regions) > len(plain)


@pytest.mark.parametrize("artifact", [SMALL, LARGE], ids=["small", "in parts"])
@pytest.mark.parametrize("region", [None, "us-west-2", HOME])
def test_a_region_that_is_unset_or_wrong_is_found_out(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch, region: str | None, artifact: object
) -> None:
    """Uploaded, published and proven in the region where the bucket is, whatever was named."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(aws.authority))
    environ = {**aws.environ, "AWS_CA_BUNDLE": str(aws.authority)}
    store = connect(Storage("my-models", "models", region=region), environ)
    assert store.stat(KEY) is None
    store.put_artifact(KEY, artifact, {})  # type: ignore[arg-type]  # one of two
    assert store.url(KEY) == f"https://my-models.s3.{HOME}.amazonaws.com/{KEY}"
    prove_downloadable(store.url(KEY), artifact)  # type: ignore[arg-type]
    wrong = [request for request in aws.bucket.asked if HOME not in request.headers["host"]]
    assert [request.method for request in wrong if request.method not in ("HEAD", "GET")] == []


def test_a_bucket_with_dots_is_downloaded_with_a_certificate_that_fits(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`*.s3.REGION.amazonaws.com` is no certificate for a name with a dot more."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(aws.authority))
    environ = {**aws.environ, "AWS_CA_BUNDLE": str(aws.authority)}
    store = connect(Storage("bucket.models", "models", region=HOME), environ)
    store.put_artifact(KEY, SMALL, {})
    assert store.url(KEY).startswith(f"https://s3.{HOME}.amazonaws.com/bucket.models/")
    assert set(aws.hosts) == {f"s3.{HOME}.amazonaws.com"}


def test_a_store_that_names_its_region_in_words_alone(bucket: Bucket) -> None:
    """HEAD has no words: what is told to a listing leads on, for the artifact's parts, too."""

    def judge(request: Request) -> Answer | None:
        if "/garage/" in request.headers.get("authorization", "/garage/"):
            return None
        body = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>garage</Region></Error>"
        return Answer(400, b"" if request.method == "HEAD" else body)

    bucket.before, bucket.public = judge, False
    store = open_store(Storage(BUCKET, "models", endpoint_url=bucket.endpoint), KEYS)
    store.put_artifact(KEY, LARGE, {})
    assert bucket.objects[KEY].body == LARGE.read(0, LARGE.size)
    assert store.client.meta.region_name == "garage"


def test_a_region_that_is_no_hosts_name_is_not_followed(bucket: Bucket) -> None:
    """An answer must not lead signed requests to another host."""
    evil = Answer(301, b"", {"x-amz-bucket-region": "eu.evil.test/x?"})
    bucket.before = lambda request: evil
    store = open_store(Storage(BUCKET, endpoint_url=bucket.endpoint), KEYS)
    with pytest.raises(StorageError):
        store.stat(KEY)
    assert store.client.meta.region_name == "us-east-1"
    assert urlsplit(store.url(KEY)).netloc == urlsplit(bucket.endpoint).netloc


def test_a_region_that_can_not_be_one_is_told_as_that() -> None:
    """Not as a mistake in the store's address."""
    with pytest.raises(StorageError, match="no such region") as raised:
        open_store(Storage("my-models", region="EU (Frankfurt)"), KEYS)
    assert "storage.region" in (raised.value.problems[0].hint or "")
