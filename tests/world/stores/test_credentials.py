"""Credentials that are replaced while they are used."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import count

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import CredentialRetrievalError

from clarifai_build.errors import NotAuthorisedError
from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_access import S3Access
from clarifai_build.storage.s3_store import S3Store
from clarifai_build.storage.upload.part_connection import Wire
from clarifai_build.storage.upload.parts import Part
from support.fakes import artifact_of
from support.memory_s3 import BUCKET, Bucket, client_of

ARTIFACT = artifact_of({"1/w.bin": bytes(range(256)) * 1000})


def rotating() -> RefreshableCredentials:
    """Return credentials that are about to expire whenever somebody looks: each look gets new."""
    numbers = count(1)

    def refresh() -> dict[str, str]:
        number = next(numbers)
        soon = datetime.now(timezone.utc) + timedelta(seconds=30)
        keys = {name: f"{name}{number}" for name in ("access_key", "secret_key", "token")}
        return {**keys, "expiry_time": soon.isoformat()}

    return RefreshableCredentials.create_from_metadata(refresh(), refresh, "test")


def test_a_part_is_signed_with_keys_of_one_moment(bucket: Bucket) -> None:
    """Its access key and its session token were given out together, in each of twenty."""
    upload = bucket.begin("k")
    access = S3Access(client_of(bucket.endpoint), rotating())
    wire = Wire(access, BUCKET, "k", upload, True, lambda _: None)
    for number in range(1, 21):
        wire.send(ARTIFACT, Part(number, 0, 1000, ARTIFACT.crc32(0, 1000)))
    signed = [
        (
            request.headers["authorization"].partition("access_key")[2].partition("/")[0],
            request.headers["x-amz-security-token"].removeprefix("token"),
        )
        for request in bucket.asked
    ]
    assert len(signed) == 20
    assert [key for key, _ in signed] == [token for _, token in signed]
    assert len(set(signed)) == 20


@pytest.mark.parametrize("access", ["public", "presigned"])
def test_a_refresh_that_fails_is_told(bucket: Bucket, access: str) -> None:
    """Wherever in the upload it is, as missing credentials, not as a bug."""

    def refresh() -> dict[str, str]:
        raise CredentialRetrievalError(provider="test", error_msg="hunter2")

    soon = (datetime.now(timezone.utc) + timedelta(seconds=30)).isoformat()
    keys = {"access_key": "a", "secret_key": "s", "token": "t", "expiry_time": soon}
    expired = RefreshableCredentials.create_from_metadata(keys, refresh, "test")
    storage = Storage(BUCKET, endpoint_url=bucket.endpoint, access=access)  # type: ignore[arg-type]  # by name
    client = client_of(bucket.endpoint)
    with pytest.raises(NotAuthorisedError, match="test gives none") as raised:
        S3Store(S3Access(client, expired), storage).put_artifact(
            "k", artifact_of({"1/w.bin": bytes(17 << 20)}), {}
        )
    assert "hunter2" not in str(raised.value)
