"""One session and one client a store, for all that is reached in one environment."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from clarifai_build.connection import connect as connect_one
from clarifai_build.connection import connect_all
from clarifai_build.errors import NotAuthorisedError
from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_client import access_to, unsigned_client
from clarifai_build.net.shared_environ import SharedEnviron
from clarifai_build.storage import ObjectStore
from clarifai_build.storage.lazy_store import connect
from support.connections import environ_of, model_in
from support.fake_aws import HOME, FakeAws
from support.fakes import artifact_of
from support.memory_s3 import BUCKET, KEYS, Bucket

ARTIFACT = artifact_of({"1/w.bin": b"content"})
LARGE = artifact_of({"1/w.bin": bytes(17 << 20)})
OTHERS = {"AWS_ACCESS_KEY_ID": "others", "AWS_SECRET_ACCESS_KEY": "secret2"}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The regions of the clients that are made."""
    regions: list[str] = []
    really = Session.create_client

    def create(session: Session, *arguments: Any, **options: Any) -> Any:
        regions.append(str(options.get("region_name") or arguments[1]))
        return really(session, *arguments, **options)

    monkeypatch.setattr(Session, "create_client", create)
    return regions


def in_region(region: str | None, bucket: str = BUCKET, endpoint: str | None = None) -> Storage:
    """Describe a bucket."""
    return Storage(bucket, "models", region=region, endpoint_url=endpoint)


def test_buckets_of_a_store_have_one_client(no_aws: Path, made: list[str]) -> None:
    """Whoever asks for it, and whatever prefix or access they have."""
    environ = SharedEnviron({**KEYS, "HOME": str(no_aws)})
    one = access_to(in_region(HOME, "one"), environ)
    other = access_to(in_region(HOME, "other"), environ)
    assert one.client is other.client
    assert one.credentials is other.credentials
    assert made == [HOME]


@pytest.mark.parametrize(
    ("other", "variables"),
    [
        (in_region("us-west-2"), {}),
        (in_region(HOME, endpoint="https://store.test"), {}),
        (in_region(HOME), {"AWS_PROFILE": "other"}),
        (in_region(HOME), OTHERS),
        (in_region(HOME), {"AWS_USE_DUALSTACK_ENDPOINT": "true"}),
    ],
    ids=["region", "endpoint", "profile", "credentials", "style of addresses"],
)
def test_what_is_reached_in_another_way_has_its_own(
    no_aws: Path, made: list[str], other: Storage, variables: dict[str, str]
) -> None:
    """Another region or endpoint, and all that is looked up in another environment."""
    (no_aws / ".aws/config").write_text("[profile other]\nregion = ap-south-1\n")
    environ = SharedEnviron({**KEYS, "HOME": str(no_aws)})
    changed = SharedEnviron({**environ, **variables}) if variables else environ
    first = access_to(in_region(HOME), environ).client
    assert access_to(other, changed).client is not first
    assert access_to(in_region(HOME), environ).client is first
    assert len(made) == 2


def test_one_that_signs_nothing_is_another(no_aws: Path, made: list[str]) -> None:
    """It needs no credentials, and is shared likewise."""
    environ = SharedEnviron({"HOME": str(no_aws)})
    assert unsigned_client(in_region(HOME), environ) is unsigned_client(in_region(HOME), environ)
    signing = SharedEnviron({**environ, **KEYS})
    assert access_to(in_region(HOME), signing).client is not unsigned_client(
        in_region(HOME), signing
    )
    assert len(made) == 3


def test_threads_that_ask_at_once_get_one(no_aws: Path, made: list[str]) -> None:
    """It is made by one of them."""
    environ = SharedEnviron({**KEYS, "HOME": str(no_aws)})
    all_here = threading.Barrier(8)

    def ask(number: int) -> int:
        all_here.wait()
        return id(access_to(in_region(HOME, f"bucket-{number}"), environ).client)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert made == [HOME]


def test_credentials_that_are_written_meanwhile_are_taken(no_aws: Path) -> None:
    """Of AWS's own files: a program may hold its connections for days."""
    file = no_aws / ".aws/credentials"
    environ = SharedEnviron({"HOME": str(no_aws)})

    def key_id(key: str) -> str:
        file.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = s\n")
        access = access_to(in_region(HOME), environ)
        return str(access.credentials.get_frozen_credentials().access_key)

    assert key_id("AKIAFIRST") == "AKIAFIRST"
    assert key_id("AKIASECOND-IS-LONGER") == "AKIASECOND-IS-LONGER"


def test_missing_credentials_are_looked_for_again(no_aws: Path) -> None:
    """That there were none is not kept."""
    environ = SharedEnviron({"HOME": str(no_aws), "AWS_EC2_METADATA_DISABLED": "true"})
    store = connect(in_region(HOME), environ)
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    try:
        with pytest.raises(NotAuthorisedError):
            store.get("k")
    finally:
        del os.environ["AWS_EC2_METADATA_DISABLED"]
    (no_aws / ".aws/credentials").write_text(
        "[default]\naws_access_key_id = a\naws_secret_access_key = s\n"
    )
    assert access_to(in_region(HOME), environ).credentials.access_key == "a"


@pytest.fixture
def trusting(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> SharedEnviron:
    """An environment that leads to AWS, where one bucket lies in another region than the rest."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(aws.authority))
    aws.regions["near-models"] = "us-east-1"
    return SharedEnviron({**aws.environ, "AWS_CA_BUNDLE": str(aws.authority)})


def published(store: ObjectStore, key: str) -> str:
    """Publish something large, and return where."""
    assert store.stat(key) is None
    store.put_artifact(key, LARGE, {})
    return store.url(key).partition(".amazonaws")[0]


def test_a_bucket_elsewhere_moves_no_other(
    aws: FakeAws, trusting: SharedEnviron, made: list[str]
) -> None:
    """Both were said to be in one region, and share a client: one is, and one turns out not."""
    far = connect(in_region("us-east-1", "far-models"), trusting)
    near = connect(in_region("us-east-1", "near-models"), trusting)
    assert published(far, "models/a") == f"https://far-models.s3.{HOME}"
    assert published(near, "models/b") == "https://near-models.s3.us-east-1"
    again = connect(in_region("us-east-1", "far-models"), trusting)
    again.put_artifact("models/c", LARGE, {})
    assert again.url("models/c").startswith(f"https://far-models.s3.{HOME}")
    assert sorted(set(made)) == [HOME, "us-east-1"]
    assert len(made) == 2
    sent = [one for one in aws.bucket.asked if one.method in ("PUT", "POST")]
    hosts = {(one.key, one.headers["host"]) for one in sent}
    assert {host for key, host in hosts if key == "models/b"} == {
        "near-models.s3.us-east-1.amazonaws.com"
    }


def test_what_one_model_found_out_another_knows(aws: FakeAws, trusting: SharedEnviron) -> None:
    """The second of a bucket goes straight to its region."""
    access_to(in_region("us-east-1", "far-models"), trusting).client.list_objects_v2(
        Bucket="far-models"
    )
    second = access_to(in_region("us-east-1", "far-models"), trusting)
    assert second.client.meta.region_name == HOME
    third = access_to(in_region("us-east-1", "near-models"), trusting)
    assert third.client.meta.region_name == "us-east-1"


def test_a_fleet_has_one_client(tmp_path: Path, bucket: Bucket, made: list[str]) -> None:
    """The models of one command, or of one `connect_all`; two commands share nothing."""
    for name in ("a", "b", "c"):
        manifest = model_in(tmp_path, name) / "clarifai.yaml"
        manifest.write_text(manifest.read_text().replace("bucket: models", f"bucket: {BUCKET}"))
    environ = {**environ_of(tmp_path), **KEYS, "AWS_ENDPOINT_URL_S3": bucket.endpoint}
    for _ in range(2):
        found = connect_all([tmp_path], environ)
        assert found.errors == {}
        stores = [connection.store() for connection in found.connections]
        assert [store.get("nothing") for store in stores] == [None] * 3
    assert len(made) == 2


def test_connections_are_made_with_the_environment_of_another(
    tmp_path: Path, bucket: Bucket, made: list[str]
) -> None:
    """A program that connects its models one by one has one client for them, too."""
    environ = {**environ_of(tmp_path), **KEYS, "AWS_ENDPOINT_URL_S3": bucket.endpoint}
    first = connect_one(model_in(tmp_path, "a"), environ)
    second = connect_one(model_in(tmp_path, "b"), first.environ)
    assert first.store().put_if("nothing", b"", "other") is None
    assert second.store().put_if("nothing", b"", "other") is None
    assert len(made) == 1


def test_the_secrets_are_in_no_repr(tmp_path: Path) -> None:
    """Neither of what is shared, nor of what holds it."""
    model_in(tmp_path)
    environ = {**environ_of(tmp_path), **OTHERS}
    (connection,) = connect_all([tmp_path], environ).connections
    access = access_to(in_region(HOME), connection.environ)
    told = " ".join(map(repr, (connection, connection.environ, access, access.client)))
    assert "lines" in told
    assert "secret2" not in told
