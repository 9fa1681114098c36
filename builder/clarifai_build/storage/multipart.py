"""A multipart upload: begun or resumed, missing parts sent in parallel, completed as a whole."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from clarifai_build.archive import Artifact
from clarifai_build.problem import SourceError, StorageError
from clarifai_build.progress import Listener
from clarifai_build.storage.parts import Part, base64_of, cut, whole_crc32
from clarifai_build.storage.s3_errors import REFUSED, refusal
from clarifai_build.storage.wire import StoreAnsweredError, Wire
from clarifai_build.tally import Tally

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_LEAST_AT_ONCE, _MOST_AT_ONCE = 4, 16
_ATTEMPTS = 6
_STALE = timedelta(days=7)
_MAY_PASS = frozenset({408, 429, 500, 502, 503, 504})
_BROKEN_ON_THE_WAY = ("BadDigest", "IncompleteBody", "RequestTimeout", "XAmzContentChecksum")
_UNKNOWN_TO_STORE = frozenset({"NotImplemented", "InvalidArgument", "InvalidRequest", "501"})
_MAY_NOT_LIST = frozenset({"AccessDenied", "403", "NotImplemented", "501"})
_CONTENT_ADDRESSED = re.compile(r"(?:.*/)?[0-9a-f]{64}/[^/]+\.zip\Z")
_EVEN_PARTS = ".r2.cloudflarestorage.com"


class UploadGoneError(Exception):
    """Another run has completed or aborted the upload in the meantime."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Where an artifact goes and how. `options` are headers of the new object."""

    client: S3Client
    credentials: Credentials
    bucket: str
    key: str
    options: dict[str, Any]
    checksums: bool
    listen: Listener

    def run(self, artifact: Artifact, condition: dict[str, Any]) -> None:
        """Send what is not there yet, then make it an object if `condition` holds.

        A ClientError of botocore means that the store refused; the finished parts stay for the
        next run, but for those of a source that changed.
        """
        even = _EVEN_PARTS in self.client.meta.endpoint_url
        parts = cut(artifact, even=even)
        upload, done = self._resume(artifact, parts) or (self._begin(), {})
        try:
            etags = self._send(artifact, parts, upload, done)
        except SourceError:
            self._abort(self.key, upload)
            raise
        self._complete(upload, parts, etags, condition)

    def abort_stale(self, prefix: str) -> None:
        """Abort what was left behind: other uploads of this key, and old ones of any artifact."""
        oldest = datetime.now(timezone.utc) - _STALE
        for upload in self._uploads(prefix):
            stale = upload["Initiated"] < oldest and _CONTENT_ADDRESSED.match(upload["Key"])
            if upload["Key"] == self.key or stale:
                self._abort(upload["Key"], upload["UploadId"])

    def _begin(self) -> str:
        options = self.options
        if self.checksums:
            options = options | {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
        return self.client.create_multipart_upload(Bucket=self.bucket, Key=self.key, **options)[
            "UploadId"
        ]

    def _resume(self, artifact: Artifact, parts: list[Part]) -> tuple[str, dict[int, str]] | None:
        """Return the newest unfinished upload of this key, and the ETags of its good parts."""
        uploads = [u for u in self._uploads(self.key) if u["Key"] == self.key]
        if not uploads:
            return None
        upload = max(uploads, key=lambda upload: upload["Initiated"])["UploadId"]
        planned = {part.number: part for part in parts}
        pages = self.client.get_paginator("list_parts").paginate(
            Bucket=self.bucket, Key=self.key, UploadId=upload
        )
        there = [sent for page in pages for sent in page.get("Parts", [])]
        return upload, {
            sent["PartNumber"]: sent["ETag"]
            for sent in there
            if sent["PartNumber"] in planned
            and _is_same(artifact, planned[sent["PartNumber"]], dict(sent))
        }

    def _send(
        self, artifact: Artifact, parts: list[Part], upload: str, done: dict[int, str]
    ) -> dict[int, str]:
        tally = Tally("upload", artifact.size, self.listen)
        tally.add(sum(part.length for part in parts if part.number in done))
        wire = Wire(
            self.client,
            self.credentials,
            self.bucket,
            self.key,
            upload,
            self.checksums,
            tally.add,
        )
        missing = [part for part in parts if part.number not in done]
        with ThreadPoolExecutor(_at_once(len(missing))) as pool:
            futures = [pool.submit(_send_part, wire, artifact, part) for part in missing]
            try:
                sent = {p.number: f.result() for p, f in zip(missing, futures, strict=True)}
            except BaseException:
                wire.close()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return done | sent

    def _complete(
        self, upload: str, parts: list[Part], etags: dict[int, str], condition: dict[str, Any]
    ) -> None:
        completed: list[CompletedPartTypeDef] = [
            {"PartNumber": part.number, "ETag": etags[part.number]} for part in parts
        ]
        whole: dict[str, Any] = {}
        if self.checksums:
            whole = {"ChecksumCRC32": base64_of(whole_crc32(parts)), "ChecksumType": "FULL_OBJECT"}
            for entry, part in zip(completed, parts, strict=True):
                entry["ChecksumCRC32"] = base64_of(part.crc32)
        self.client.complete_multipart_upload(
            Bucket=self.bucket,
            Key=self.key,
            UploadId=upload,
            MultipartUpload={"Parts": completed},
            **whole,
            **condition,
        )

    def _uploads(self, prefix: str) -> Iterator[Any]:
        pages = self.client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        try:
            for page in pages:
                yield from page.get("Uploads", [])
        except ClientError as exc:
            # Resuming and tidying are all that is lost where the store does not let us look.
            if exc.response["Error"]["Code"] not in _MAY_NOT_LIST:
                raise

    def _abort(self, key: str, upload: str) -> None:
        self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload)


def _at_once(parts: int) -> int:
    """Return how many parts travel side by side: a store gives each connection only so much."""
    return max(_LEAST_AT_ONCE, min(parts // 8, _MOST_AT_ONCE))


def _send_part(wire: Wire, artifact: Artifact, part: Part) -> str:
    """Send one part, again after what may pass: with jitter, so that many do not come at once."""
    for attempt in range(_ATTEMPTS):
        try:
            return wire.send(artifact, part)
        except InterruptedError:
            raise
        except (OSError, StoreAnsweredError) as exc:
            if wire.stop.is_set():
                raise InterruptedError from exc
            if isinstance(exc, StoreAnsweredError) and exc.code == "NoSuchUpload":
                raise UploadGoneError from exc
            if isinstance(exc, StoreAnsweredError) and exc.code in REFUSED:
                raise refusal("UploadPart", wire.bucket, exc.code) from exc
            if attempt == _ATTEMPTS - 1 or not _may_pass(exc):
                raise _failed(part, exc) from exc
        wire.stop.wait(random.uniform(0, 2**attempt / 2))
    raise AssertionError("the last attempt returns or raises")


def _may_pass(exc: OSError | StoreAnsweredError) -> bool:
    if isinstance(exc, StoreAnsweredError):
        return exc.status in _MAY_PASS or exc.code.startswith(_BROKEN_ON_THE_WAY)
    return True


def _failed(part: Part, exc: Exception) -> StorageError:
    return StorageError.of(
        "upload-failed",
        f"part {part.number} can't be sent: {exc}",
        hint="the parts that arrived are kept at the store, and the next run goes on from there",
    )


def _is_same(artifact: Artifact, part: Part, sent: dict[str, Any]) -> bool:
    """Tell whether a part at the store is the one that we would send."""
    if sent["Size"] != part.length:
        return False
    if "ChecksumCRC32" in sent:
        return bool(sent["ChecksumCRC32"] == base64_of(part.crc32))
    md5 = hashlib.md5(usedforsecurity=False)
    for block in artifact.blocks(part.offset, part.length):
        md5.update(block)
    return bool(sent["ETag"].strip('"') == md5.hexdigest())


def is_unknown_to_store(exc: ClientError) -> bool:
    """Tell whether a store refused a request for a header that it does not know."""
    return exc.response["Error"]["Code"] in _UNKNOWN_TO_STORE
