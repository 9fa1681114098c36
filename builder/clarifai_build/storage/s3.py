"""Artifacts in any S3-compatible store, sent straight from the source files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, NoCredentialsError

from clarifai_build.archive import Artifact
from clarifai_build.manifest import Storage
from clarifai_build.problem import StorageError
from clarifai_build.progress import Event, Listener, silent
from clarifai_build.storage import FoundObject, SmallObject, StoredObject
from clarifai_build.storage.client import client_of, session_of
from clarifai_build.storage.multipart import Upload, UploadGoneError, is_unknown_to_store
from clarifai_build.storage.parts import base64_of
from clarifai_build.storage.public import crc_hex, public_url
from clarifai_build.storage.s3_errors import AbsentError, RefusedError, translated

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from mypy_boto3_s3 import S3Client

_DAY = 24 * 3600
PRESIGNED_SECONDS = 7 * _DAY
_ONE_REQUEST = 16 << 20
_SAMPLE = 64 << 10


def open_store(storage: Storage, environ: Mapping[str, str]) -> S3Store:
    """Connect to the bucket with the credentials that boto3 finds."""
    with translated(storage.bucket):
        session = session_of(environ)
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        return S3Store(client_of(session, storage, environ), storage, credentials)


@dataclass(frozen=True, slots=True)
class S3Store:
    """A bucket; see `clarifai_build.storage.ObjectStore`."""

    client: S3Client
    storage: Storage
    credentials: Credentials = field(repr=False)

    def stat(self, key: str) -> StoredObject | None:
        """Return what lies at `key`, or None."""
        try:
            with translated(self.storage.bucket):
                head = self.client.head_object(
                    Bucket=self.storage.bucket, Key=key, ChecksumMode="ENABLED"
                )
        except AbsentError:
            return None
        etag, crc = head["ETag"].strip('"'), head.get("ChecksumCRC32", "")
        return StoredObject(key, head["ContentLength"], etag, head["Metadata"], crc_hex(crc))

    def put_artifact(
        self, key: str, artifact: Artifact, metadata: dict[str, str], listen: Listener = silent
    ) -> StoredObject:
        """Store the artifact at `key`, all or nothing; the same object there already stays."""
        present = self.stat(key)
        if present is not None and _holds(present, artifact):
            return present
        condition = {"IfMatch": present.etag} if present else {"IfNoneMatch": "*"}
        listen(Event("upload", "started", total=artifact.size))
        compared = True
        try:
            with translated(self.storage.bucket):
                compared = self._send(
                    key, artifact, metadata, condition, listen, self.storage.checksums == "auto"
                )
        except (RefusedError, AbsentError, UploadGoneError):
            listen(Event("upload", "running", "another upload of the same artifact was first"))
        stored = self.stat(key)
        if stored is None or not _holds(stored, artifact):
            raise StorageError.of(
                "upload-lost",
                f"{key} is not what was uploaded",
                hint="something else writes to this key; apply again",
            )
        if not compared:
            self._compare(key, artifact)
        listen(Event("upload", "done", done=artifact.size, total=artifact.size))
        if self.storage.access == "presigned":
            listen(Event("upload", "done", self._lifetime()))
        return stored

    def url(self, key: str) -> str:
        """Return the URL under which a stranger downloads `key`."""
        storage = self.storage
        if storage.access == "presigned":
            return self.client.generate_presigned_url(
                "get_object",
                Params={"Bucket": storage.bucket, "Key": key},
                ExpiresIn=PRESIGNED_SECONDS,
            )
        return public_url(storage, self.client.meta.region_name, key)

    def _lifetime(self) -> str:
        """Say until when the platform can fetch what is published under a presigned URL."""
        if self.credentials.get_frozen_credentials().token:
            return (
                "warning: the credentials are temporary, and the presigned URL ends with them; "
                "the platform may not have fetched by then"
            )
        return f"the presigned URL ends after {PRESIGNED_SECONDS // _DAY} days"

    def get(self, key: str) -> SmallObject | None:
        """Return what lies at `key`, or None."""
        try:
            with translated(self.storage.bucket):
                answer = self.client.get_object(Bucket=self.storage.bucket, Key=key)
                body = answer["Body"].read()
        except AbsentError:
            return None
        age = _now(answer) - answer["LastModified"]
        return SmallObject(body, answer["ETag"], age.total_seconds())

    def read(self, key: str, offset: int, length: int) -> bytes:
        """Return a range of what lies at `key`; raises StorageError where nothing does."""
        bucket, span = self.storage.bucket, f"bytes={offset}-{offset + length - 1}"
        try:
            with translated(bucket):
                return self.client.get_object(Bucket=bucket, Key=key, Range=span)["Body"].read()
        except AbsentError as exc:
            raise StorageError.of("object-gone", f"there is no {key} in bucket {bucket}") from exc

    def put_if(self, key: str, body: bytes, replaces: str | None) -> str | None:
        """Store `body` where the ETag `replaces` lies, or where nothing lies for None."""
        bucket = self.storage.bucket
        try:
            with translated(bucket):
                if replaces is None:
                    put = self.client.put_object(Bucket=bucket, Key=key, Body=body, IfNoneMatch="*")
                else:
                    put = self.client.put_object(
                        Bucket=bucket, Key=key, Body=body, IfMatch=replaces
                    )
        except (RefusedError, AbsentError):
            return None
        return put["ETag"]

    def write(self, key: str, body: bytes) -> None:
        """Store `body` at `key`, whatever lies there."""
        with translated(self.storage.bucket):
            self.client.put_object(Bucket=self.storage.bucket, Key=key, Body=body)

    def find(self, prefix: str) -> Iterator[FoundObject]:
        """Yield every object whose key begins with `prefix`, by key."""
        with translated(self.storage.bucket):
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.storage.bucket, Prefix=prefix):
                now = _now(page)
                for found in page.get("Contents", ()):
                    age = (now - found["LastModified"]).total_seconds()
                    yield FoundObject(found["Key"], found["Size"], age)

    def delete(self, key: str, etag: str | None = None) -> bool:
        """Remove `key`, or only this ETag of it; say whether it is gone."""
        bucket = self.storage.bucket
        try:
            with translated(bucket):
                if etag is None:
                    self.client.delete_object(Bucket=bucket, Key=key)
                else:
                    self.client.delete_object(Bucket=bucket, Key=key, IfMatch=etag)
        except RefusedError:
            return False
        except AbsentError:
            return True
        return True

    def _send(
        self,
        key: str,
        artifact: Artifact,
        metadata: dict[str, str],
        condition: dict[str, Any],
        listen: Listener,
        checksums: bool,
    ) -> bool:
        """Send the artifact, without what the store does not know; say whether it compared it."""
        try:
            self._send_as(key, artifact, metadata, condition, listen, checksums)
        except ClientError as exc:
            if not is_unknown_to_store(exc) or not (condition or checksums):
                raise
            if exc.operation_name == "CreateMultipartUpload" or not condition:
                checksums = False
            else:
                condition = {}
            return self._send(key, artifact, metadata, condition, listen, checksums)
        return checksums

    def _send_as(
        self,
        key: str,
        artifact: Artifact,
        metadata: dict[str, str],
        condition: dict[str, Any],
        listen: Listener,
        checksums: bool,
    ) -> None:
        bucket = self.storage.bucket
        options: dict[str, Any] = {"Metadata": metadata, "ContentType": "application/zip"}
        if self.storage.access == "public-read-acl":
            options["ACL"] = "public-read"
        if artifact.size > _ONE_REQUEST:
            upload = Upload(self.client, self.credentials, bucket, key, options, checksums, listen)
            upload.run(artifact, condition)
            upload.abort_stale(self.storage.prefix)
            return
        if checksums:
            options["ChecksumCRC32"] = base64_of(artifact.crc32(0, artifact.size))
        body = artifact.read(0, artifact.size)
        self.client.put_object(Bucket=bucket, Key=key, Body=body, **options, **condition)

    def _compare(self, key: str, artifact: Artifact) -> None:
        """Read samples back from a store that compares no checksums itself."""
        length = min(_SAMPLE, artifact.size)
        for offset in (0, (artifact.size - length) // 2, artifact.size - length):
            with translated(self.storage.bucket):
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
    """Tell whether an object is the artifact, by its size and, where the store has it, CRC-32."""
    if stored.size != artifact.size:
        return False
    return not stored.crc32 or stored.crc32 == f"{artifact.crc32(0, artifact.size):08x}"


def _now(answer: Any) -> datetime:
    """Return when the store answered, by its own clock."""
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
