"""How a bucket is reached, resolved once: what is sent past botocore has to go the same way."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from mypy_boto3_s3 import S3Client

# Redirected, or signed for another region; HEAD is answered with a bare 400 then.
_ELSEWHERE = frozenset({301, 302, 307, 400})
_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
# Where a request's bucket is noted: an answer does not name it.
_BUCKET = "clarifai_build_bucket"


class Address(NamedTuple):
    """Where botocore would send a request, and the region and service it would sign it for."""

    url: str
    region: str
    service: str


class BucketRegions:
    """The regions that buckets turned out to be in, as the answers to one client name them.

    A client may be that of many buckets, of which each may be somewhere else.
    """

    def __init__(self, client: S3Client) -> None:
        self._told: dict[str, str] = {}
        client.meta.events.register("before-parameter-build.s3", _note_bucket)
        client.meta.events.register("needs-retry.s3", self._listen)

    def of(self, bucket: str) -> str:
        """Return the region that was named last, or nothing."""
        return self._told.get(bucket, "")

    def _listen(
        self, response: Any, operation: Any, request_dict: Mapping[str, Any], **_: Any
    ) -> None:
        if response is not None and (region := _region_told(response[1], operation.name)):
            self._told[request_dict["context"][_BUCKET]] = region


class S3Access:
    """A client, its credentials, and the certificates that are trusted (True: the usual ones).

    A bucket may lie in another region than was named. botocore then sends its own requests on, and
    keeps to itself where that was. From then on `client` is the one that `elsewhere` returns, so
    that whatever is addressed or signed by it, parts and public URLs for example, leads there, too.
    """

    def __init__(
        self,
        client: S3Client,
        credentials: Credentials,
        verify: str | bool = True,
        elsewhere: Callable[[], S3Client | None] = lambda: None,
    ) -> None:
        self.credentials = credentials
        self.verify = verify
        self._client = client
        self._elsewhere = elsewhere

    @property
    def client(self) -> S3Client:
        """Return the client of the region that the bucket is in, as far as that is known by now."""
        return self._elsewhere() or self._client


def address_of(client: S3Client, operation: str, **params: Any) -> Address:
    """Return where a request goes, as botocore has it: host, region, partition and style."""
    signed = urlsplit(client.generate_presigned_url(operation, Params=params))
    query = parse_qs(signed.query)
    _, _, region, service, *_ = (query.get("X-Amz-Credential") or ["////"])[0].split("/")
    kept = {name: values[0] for name, values in query.items() if not name.startswith("X-Amz-")}
    url = urlunsplit((signed.scheme, signed.netloc, signed.path, urlencode(kept), ""))
    return Address(url, region, service)


def head_object(access: S3Access, bucket: str, key: str, **options: Any) -> dict[str, Any]:
    """Ask for an object without its content; where a refusal says nothing, find out why."""
    try:
        return dict(access.client.head_object(Bucket=bucket, Key=key, **options))
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "400":
            raise
        _explain(access, bucket, key, exc)
    return dict(access.client.head_object(Bucket=bucket, Key=key, **options))


def _explain(access: S3Access, bucket: str, key: str, bare: ClientError) -> None:
    """Ask what is answered with words, since HEAD is not: they may name the bucket's region."""
    try:
        access.client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    except ClientError as exc:
        raise (bare if exc.response["Error"]["Code"].isdecimal() else exc) from None


def _note_bucket(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
    context[_BUCKET] = params.get("Bucket", "")


def _region_told(answer: Mapping[str, Any], operation: str) -> str:
    """Return the region that an answer names as that of the bucket, or nothing."""
    described = answer.get("ResponseMetadata", {})
    if described.get("HTTPStatusCode") not in _ELSEWHERE and operation != "HeadBucket":
        return ""
    region = described.get("HTTPHeaders", {}).get("x-amz-bucket-region")
    region = region or answer.get("Error", {}).get("Region") or ""
    # It becomes a part of a host's name.
    return region if _REGION.fullmatch(region) else ""
