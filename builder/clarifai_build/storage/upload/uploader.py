"""An artifact on its way into a bucket: in one request or in parts, with what the store knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_access import S3Access
from clarifai_build.net.s3_responses import s3_response
from clarifai_build.progress import ProgressCallback
from clarifai_build.storage import SentCallback, ignore_sent
from clarifai_build.storage.upload.absent_ranges import fetch_needed
from clarifai_build.storage.upload.copy_sources import ONE_REQUEST, CopySource, Run
from clarifai_build.storage.upload.multipart import Upload
from clarifai_build.storage.upload.part_sender import UNKNOWN_TO_STORE, ChecksumsUnknownError
from clarifai_build.storage.upload.parts import base64_of, md5_of


@dataclass(frozen=True, slots=True)
class ArtifactUpload:
    """Destination, object options and progress callback of one upload."""

    access: S3Access
    storage: Storage
    key: str
    metadata: dict[str, str]
    progress: ProgressCallback
    sent: SentCallback = ignore_sent
    cancel: CancelToken = NEVER
    sources: Sequence[CopySource] = ()

    def send(self, artifact: Artifact, condition: dict[str, Any], *, checksums: bool) -> bool:
        """Send the artifact, without what the store does not know; say whether checksums were used.

        Errors of botocore come as they are. What a store means by refusing is not asked: each way
        is tried, and what arrived is looked at afterwards in any case.
        """
        conditions = [condition, {}] if condition else [condition]
        ways = [
            (one, summed)
            for summed in ([True, False] if checksums else [False])
            for one in conditions
        ]
        while True:
            way = ways.pop(0)
            try:
                return self._send_as(artifact, *way)
            except ChecksumsUnknownError:
                ways = [(one, False) for one in conditions]
            except ClientError as exc:
                # What begins an upload holds no condition: its refusal is about checksums.
                if exc.operation_name == "CreateMultipartUpload":
                    ways = [(one, False) for one in conditions] if way[1] else []
                if exc.response["Error"]["Code"] not in UNKNOWN_TO_STORE or not ways:
                    raise

    def _send_as(self, artifact: Artifact, condition: dict[str, Any], checksums: bool) -> bool:
        bucket, key = self.storage.bucket, self.key
        options: dict[str, Any] = {"Metadata": self.metadata, "ContentType": artifact.media_type}
        if self.storage.access == "public-read-acl":
            options["ACL"] = "public-read"
        if artifact.size > ONE_REQUEST:
            upload = Upload(
                *(self.access, bucket, key, options, checksums),
                *(self.progress, self.sent, self.cancel, self.sources),
            )
            compared = upload.run(artifact, condition)
            upload.abort_stale(self.storage.prefix)
            return compared
        whole = [Run(0, artifact.size)]
        artifact = fetch_needed(artifact, whole, self.sources, self.access.client)
        body = artifact.read(0, artifact.size)
        # Besides: some stores with Object Lock take no other checksum for one.
        options["ContentMD5"] = md5_of(body)
        if checksums:
            options["ChecksumCRC32"] = base64_of(artifact.crc32(0, artifact.size))
        with s3_response(bucket):
            self.access.client.put_object(Bucket=bucket, Key=key, Body=body, **options, **condition)
        return checksums
