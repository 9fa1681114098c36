"""What a store answers, where it may not be an S3 store at all: a web page, a login, a proxy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.parsers import ResponseParserError

from clarifai_build.errors import StorageError
from clarifai_build.net.s3_errors import map_boto_errors
from clarifai_build.net.s3_failures import is_about_credentials

UNREADABLE = (ResponseParserError, ValueError)
"""What botocore raises, as it comes, where it can't make sense of an answer."""

NOT_S3_HINT = (
    "check `storage.endpoint_url`: a web page, a login or a proxy may answer there in its place"
)


@contextmanager
def s3_request(bucket: str, *, conditional: bool = False) -> Iterator[None]:
    """Map failures of requests to errors of this tool; `conditional` as in `map_boto_errors`.

    Wrap nothing else in it: a bug would be taken for the store's.
    """
    with map_boto_errors(bucket, conditional=conditional), s3_response(bucket):
        yield


@contextmanager
def s3_response(bucket: str) -> Iterator[None]:
    """Map only unreadable answers; other errors of botocore come as they are."""
    try:
        yield
    except UNREADABLE as exc:
        # Not the store's answer, but what a profile's program or file gave for credentials.
        if is_about_credentials(exc):
            raise
        raise _not_s3(bucket, "what it answers can't be read") from exc


def required_field(answer: Mapping[str, Any], name: str, bucket: str) -> Any:
    """Return a field that every S3 store sends."""
    if name not in answer:
        raise _not_s3(bucket, f"its answer has no {name}")
    return answer[name]


def time_of(answer: Mapping[str, Any]) -> datetime:
    """Return when a store answered, by its own clock; by this machine's where it does not say."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    try:
        time = parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return datetime.now(timezone.utc)
    # "-0000" gives a naive time; HTTP dates are in UTC.
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _not_s3(bucket: str, why: str) -> StorageError:
    return StorageError.of(
        "not-s3",
        f"what answers for bucket {bucket} is not an S3 store: {why}",
        hint=NOT_S3_HINT,
    )
