"""Artifacts in any S3-compatible store, sent straight from the source files."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.errors import NotAuthorisedError, StorageError
from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_access import S3Access, address_of, head_object
from clarifai_build.net.s3_client import access_to, unsigned_client
from clarifai_build.net.s3_errors import (
    AbsentError,
    ConditionDoubtedError,
    RefusedError,
    map_boto_errors,
    unsupported,
)
from clarifai_build.net.s3_responses import required_field, s3_request, s3_response, time_of
from clarifai_build.progress import Event, ProgressCallback, no_progress, warn
from clarifai_build.storage import (
    FoundObject,
    SentCallback,
    SmallObject,
    StoredObject,
    ignore_sent,
)
from clarifai_build.storage.anonymous import crc_hex, look_at, url_before
from clarifai_build.storage.upload.copy_sources import CopySource
from clarifai_build.storage.upload.part_sender import UNKNOWN_TO_STORE, UploadGoneError
from clarifai_build.storage.upload.parts import md5_of
from clarifai_build.storage.upload.uploader import ArtifactUpload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# The most that Signature Version 4 allows.
PRESIGNED = timedelta(days=7)
_SAMPLE = 64 << 10


def open_store(storage: Storage, environ: Mapping[str, str]) -> S3Store:
    """Connect to the bucket with the credentials that boto3 finds."""
    with map_boto_errors(storage.bucket):
        return S3Store(access_to(storage, environ), storage)


def unsigned_url(storage: Storage, environ: Mapping[str, str], key: str) -> str:
    """Return the store's own URL of an object; needs no credentials, and asks nobody."""
    with map_boto_errors(storage.bucket):
        client = unsigned_client(storage, environ)
        return address_of(client, "get_object", Bucket=storage.bucket, Key=key).url


@dataclass(frozen=True, slots=True)
class S3Store:
    """A bucket; see `clarifai_build.storage.ObjectStore`."""

    access: S3Access
    storage: Storage

    @property
    def client(self) -> S3Client:
        """Return a client of the region that the bucket is in."""
        return self.access.client

    def stat(self, key: str) -> StoredObject | None:
        """Return what lies at `key`, or None."""
        try:
            with s3_request(self.storage.bucket):
                head = head_object(self.access, self.storage.bucket, key, ChecksumMode="ENABLED")
        except AbsentError:
            return None
        etag = required_field(head, "ETag", self.storage.bucket).strip('"')
        size = required_field(head, "ContentLength", self.storage.bucket)
        crc = head.get("ChecksumCRC32", "")
        return StoredObject(key, size, etag, head["Metadata"], crc_hex(crc))

    def put_artifact(
        self,
        key: str,
        artifact: Artifact,
        metadata: dict[str, str],
        progress: ProgressCallback = no_progress,
        *,
        sent: SentCallback = ignore_sent,
        cancel: CancelToken = NEVER,
        sources: Sequence[CopySource] = (),
    ) -> StoredObject:
        """Store the artifact at `key`, all or nothing; the same object there already stays."""
        present = self.stat(key)
        if present is not None and _holds(present, artifact):
            self._open(key)
            return present
        # Only what was seen is replaced: another run may be at work.
        condition = {"IfMatch": present.etag} if present else {"IfNoneMatch": "*"}
        progress(Event("upload", "started", total=artifact.size))
        sent(0)
        compared = found = False
        try:
            with map_boto_errors(self.storage.bucket):
                upload = ArtifactUpload(
                    *(self.access, self.storage, key, metadata),
                    *(progress, sent, cancel, sources),
                )
                checksums = self.storage.checksums == "auto"
                compared = upload.send(artifact, condition, checksums=checksums)
        except (RefusedError, AbsentError, UploadGoneError):
            # Another run made it, or this one did and the answer was lost.
            found = True
        stored = self.stat(key)
        if stored is None or not _holds(stored, artifact):
            raise StorageError.of(
                "upload-lost",
                f"{key} is not what was uploaded",
                hint="something else writes to this key; apply again",
            )
        if found:
            progress(Event("upload", "running", "the artifact is there already"))
        if not compared and not stored.crc32:
            self._compare(key, artifact)
        self._open(key)
        progress(Event("upload", "done", done=artifact.size, total=artifact.size))
        if self.storage.access == "presigned":
            self._tell_lifetime(progress)
        return stored

    def _open(self, key: str) -> None:
        """Give the ACL that the manifest asks for to what was put, or begun, without it."""
        if self.storage.access != "public-read-acl" or look_at(self.own_url(key), key):
            return
        with map_boto_errors(self.storage.bucket), s3_response(self.storage.bucket):
            try:
                self.client.put_object_acl(Bucket=self.storage.bucket, Key=key, ACL="public-read")
            except ClientError as exc:
                # Not every store knows it: whether it is public is proved in any case.
                if exc.response["Error"]["Code"] not in {*UNKNOWN_TO_STORE, "NoSuchKey", "404"}:
                    raise

    def url(self, key: str) -> str:
        """Return the URL under which an anonymous client downloads `key`."""
        storage = self.storage
        if storage.access == "presigned":
            with map_boto_errors(storage.bucket):
                return self.client.generate_presigned_url(
                    "get_object",
                    Params={"Bucket": storage.bucket, "Key": key},
                    ExpiresIn=int(PRESIGNED.total_seconds()),
                )
        base = storage.public_base_url
        return url_before(base, key) if base else self.own_url(key)

    def own_url(self, key: str) -> str:
        """Return the store's own URL of an object, whatever stands before the store."""
        with map_boto_errors(self.storage.bucket):
            return address_of(self.client, "get_object", Bucket=self.storage.bucket, Key=key).url

    def _tell_lifetime(self, progress: ProgressCallback) -> None:
        """Say until when the platform can fetch what is published under a presigned URL."""
        with map_boto_errors(self.storage.bucket):
            token = self.access.credentials.get_frozen_credentials().token
        if token:
            words = (
                "the credentials are temporary, and the presigned URL ends with them; "
                "the platform may not have fetched by then"
            )
            warn(progress, "presigned-temporary", words, stage="upload")
        else:
            days = f"{PRESIGNED.days} days"
            progress(Event("upload", "done", f"the presigned URL ends after {days}"))

    def get(self, key: str) -> SmallObject | None:
        """Return what lies at `key`, or None."""
        try:
            with s3_request(self.storage.bucket):
                answer = self.client.get_object(Bucket=self.storage.bucket, Key=key)
                body = answer["Body"].read()
        except AbsentError:
            return None
        age = time_of(answer) - required_field(answer, "LastModified", self.storage.bucket)
        return SmallObject(
            body, required_field(answer, "ETag", self.storage.bucket), age.total_seconds()
        )

    def start_of(self, key: str, length: int) -> bytes | None:
        """Return the first bytes of what lies at `key`, `length` at the most, or None."""
        try:
            with s3_request(self.storage.bucket):
                answer = self.client.get_object(Bucket=self.storage.bucket, Key=key)
                with closing(answer["Body"]) as body:
                    return body.read(length)
        except AbsentError:
            return None

    def read(self, key: str, offset: int, length: int) -> bytes:
        """Return a range of what lies at `key`; raises StorageError where nothing does."""
        bucket, span = self.storage.bucket, f"bytes={offset}-{offset + length - 1}"
        try:
            with s3_request(bucket):
                return self.client.get_object(Bucket=bucket, Key=key, Range=span)["Body"].read()
        except AbsentError as exc:
            raise StorageError.of("object-gone", f"there is no {key} in bucket {bucket}") from exc

    def put_if(self, key: str, body: bytes, replaces: str | None) -> str | None:
        """Store `body` where the ETag `replaces` lies, or where nothing lies for None."""
        try:
            condition = {"IfMatch": replaces} if replaces else {"IfNoneMatch": "*"}
            put = self._put(key, body, condition)
            return str(required_field(put, "ETag", self.storage.bucket))
        except (RefusedError, AbsentError):
            return None
        except ConditionDoubtedError as doubt:
            if self._is_for_condition(key, body, replaces=replaces is not None):
                raise unsupported(self.storage.bucket) from doubt
            raise doubt.told from doubt

    def write(self, key: str, body: bytes) -> None:
        """Store `body` at `key`, whatever lies there."""
        self._put(key, body)

    def _put(self, key: str, body: bytes, condition: Mapping[str, Any] = {}) -> Any:
        bucket, md5 = self.storage.bucket, md5_of(body)
        with s3_request(bucket, conditional=bool(condition)):
            return self.client.put_object(
                Bucket=bucket, Key=key, Body=body, ContentMD5=md5, **condition
            )

    def _is_for_condition(self, key: str, body: bytes, *, replaces: bool) -> bool:
        """Find out whether what a request was refused for is its condition, at a key beside it.

        Without one it has to be taken, or what it meets is raised; and with one refused once more,
        though it is neither for what it holds nor for a fault that has passed.
        """
        beside = f"{key}.{uuid.uuid4().hex}.probe"
        etag = self._put(beside, body).get("ETag", "")
        try:
            # Some stores know the one condition and not the other.
            self._put(beside, body, {"IfMatch": etag} if replaces else {"IfNoneMatch": "*"})
        except ConditionDoubtedError:
            return True
        except RefusedError:
            return False  # it does know what a condition is
        finally:
            with suppress(StorageError, NotAuthorisedError):
                self.delete(beside)
        return not replaces  # what lies there was replaced, though it should not have been

    def find(self, prefix: str) -> Iterator[FoundObject]:
        """Yield every object whose key begins with `prefix`, by key."""
        bucket = self.storage.bucket
        with s3_request(bucket):
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=bucket, Prefix=prefix):
                # A page that is not one of a listing must not be taken for an empty one.
                required_field(page, "IsTruncated", bucket)
                now = time_of(page)
                for found in page.get("Contents", ()):
                    key, size = (
                        required_field(found, "Key", bucket),
                        required_field(found, "Size", bucket),
                    )
                    age = now - required_field(found, "LastModified", bucket)
                    yield FoundObject(key, size, age.total_seconds())

    def delete(self, key: str, etag: str | None = None) -> bool:
        """Remove `key`, or only this ETag of it; say whether it is gone."""
        bucket = self.storage.bucket
        try:
            with s3_request(bucket, conditional=etag is not None):
                if etag is None:
                    self.client.delete_object(Bucket=bucket, Key=key)
                else:
                    self.client.delete_object(Bucket=bucket, Key=key, IfMatch=etag)
        except RefusedError:
            return False
        except AbsentError:
            return True
        except ConditionDoubtedError as doubt:
            # Whoever then removes without one is told what it meets.
            raise unsupported(bucket) from doubt
        return True

    def _compare(self, key: str, artifact: Artifact) -> None:
        """Read samples back from a store that compares no checksums itself."""
        length = min(_SAMPLE, artifact.size)
        for offset in (0, (artifact.size - length) // 2, artifact.size - length):
            with s3_request(self.storage.bucket):
                answer = self.client.get_object(
                    Bucket=self.storage.bucket,
                    Key=key,
                    Range=f"bytes={offset}-{offset + length - 1}",
                )
                body = answer["Body"].read()
            if body != artifact.read(offset, length):
                self.delete(key)
                raise StorageError.of(
                    "upload-damaged",
                    f"{key} came out different at the store, and was removed",
                    hint="apply again",
                )


def _holds(stored: StoredObject, artifact: Artifact) -> bool:
    """Return whether an object is the artifact, by its size and, where the store has it, CRC-32."""
    if stored.size != artifact.size:
        return False
    return not stored.crc32 or stored.crc32 == f"{artifact.crc32(0, artifact.size):08x}"
