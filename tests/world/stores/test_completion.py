"""Completions of uploads in parts: what stores read of them."""

from __future__ import annotations

import pytest
from botocore.credentials import Credentials

from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_access import S3Access
from clarifai_build.storage.s3_store import S3Store
from support.fakes import artifact_of
from support.memory_s3 import BUCKET, Bucket, client_of, crc_of

ZIP = f"models/lines/{'ab' * 32}/lines.zip"
LARGE = artifact_of({"1/w.bin": bytes(17 << 20)})


def upload(bucket: Bucket) -> None:
    """Send an artifact in parts."""
    access = S3Access(client_of(bucket.endpoint), Credentials("key", "secret"))
    storage = Storage(BUCKET, "models", endpoint_url=bucket.endpoint)
    S3Store(access, storage).put_artifact(ZIP, LARGE, {})
    assert bucket.objects[ZIP].body == LARGE.read(0, LARGE.size)


@pytest.mark.parametrize("checksums", [False, True])
def test_a_store_that_knows_no_checksums_of_parts_in_xml(bucket: Bucket, checksums: bool) -> None:
    """It takes the completion: what it repeats of parts, or can't read, says what it knows."""
    bucket.strict, bucket.checksums = True, checksums
    upload(bucket)
    assert bucket.operations.count("POST uploadId") == 1 + checksums
    assert bucket.operations.count("PUT partNumber") == 1


def test_what_no_store_has_compared_is_read_back(bucket: Bucket) -> None:
    """Samples of it, where the parts' checksums were not repeated."""
    bucket.checksums = False
    upload(bucket)
    assert bucket.operations.count("GET") == 3


def test_a_store_that_compares_checksums_is_told_the_wholes(bucket: Bucket) -> None:
    """As ever."""
    upload(bucket)
    assert bucket.objects[ZIP].crc == crc_of(LARGE.read(0, LARGE.size))
    assert "GET" not in bucket.operations
