"""How old objects are: by the store's own clock, whatever this machine's says."""

from __future__ import annotations

import io
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from clarifai_build.manifest.types import Storage
from clarifai_build.storage.s3_store import S3Store, open_store

ENVIRON = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}
NOW = datetime(2001, 2, 3, 4, 5, 6, tzinfo=timezone.utc)
"""The store's clock is years behind."""


def answer(**fields: Any) -> dict[str, Any]:
    """Return what a store answers now."""
    date = {"date": format_datetime(NOW, usegmt=True)}
    return {**fields, "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": date}}


@pytest.fixture
def store() -> S3Store:
    """A bucket that nobody asks."""
    made = open_store(Storage("models", region="eu-central-1"), ENVIRON)
    assert isinstance(made, S3Store)
    return made


def test_a_listing_tells_the_age_of_each_object(store: S3Store) -> None:
    """On every page."""
    pages = [
        {"IsTruncated": True, "NextContinuationToken": "t", "Contents": [("a/1", 7, 90)]},
        {"IsTruncated": False, "Contents": [("a/2", 8, 86400), ("a/3", 9, 0)]},
    ]
    with Stubber(store.client) as stub:
        for page in pages:
            contents = [
                {"Key": key, "Size": size, "LastModified": NOW - timedelta(seconds=age)}
                for key, size, age in page["Contents"]  # type: ignore[attr-defined]
            ]
            stub.add_response("list_objects_v2", answer(**{**page, "Contents": contents}))
        found = [(one.key, one.size, one.age) for one in store.find("a/")]
    assert found == [("a/1", 7, 90.0), ("a/2", 8, 86400.0), ("a/3", 9, 0.0)]


def test_what_is_read_tells_its_age(store: S3Store) -> None:
    """As leases need it."""
    with Stubber(store.client) as stub:
        body = StreamingBody(io.BytesIO(b"lease"), 5)
        written = NOW - timedelta(seconds=61)
        stub.add_response("get_object", answer(Body=body, ETag='"e"', LastModified=written))
        found = store.get("a/1")
    assert found is not None
    assert (found.body, found.etag, found.age) == (b"lease", '"e"', 61.0)
