"""Uploads that earlier runs have begun: one to resume, the others to abort.

Neither ever fails an upload: where the store refuses, an upload begins anew, and leftovers stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from clarifai_build.artifact.absent import AbsentContentError
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.cancellation import CancelToken
from clarifai_build.net.s3_responses import UNREADABLE
from clarifai_build.storage.keys import is_artifact
from clarifai_build.storage.upload.parts import Part, base64_of
from clarifai_build.util.threads import run_interruptibly

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# No run takes so long: what is older was given up, and its parts are paid for.
_STALE = timedelta(days=7)
_PASSED_OVER = (ClientError, BotoCoreError, *UNREADABLE)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The uploads under way in a bucket. `cancel` ends whatever is waited for."""

    client: S3Client
    bucket: str
    cancel: CancelToken

    def resume(
        self, key: str, artifact: Artifact, parts: list[Part]
    ) -> tuple[str, dict[int, str]] | None:
        """Return the newest upload of a key, if there is one, and the ETags of its good parts."""
        uploads = [upload for upload in self._under(key) if upload["Key"] == key]
        if not uploads:
            return None
        upload: str = max(uploads, key=lambda upload: upload["Initiated"])["UploadId"]
        try:
            there = run_interruptibly(lambda: self._parts(key, upload), self.cancel.check)
        except _PASSED_OVER:
            return None
        planned = {part.number: part for part in parts}
        return upload, {
            sent["PartNumber"]: sent["ETag"]
            for sent in there
            if sent["PartNumber"] in planned
            and self._is_same(artifact, planned[sent["PartNumber"]], sent)
        }

    def abort_stale(self, key: str, prefix: str) -> None:
        """Abort leftovers: other uploads of a key, and old ones of any artifact."""
        oldest = datetime.now(timezone.utc) - _STALE
        for upload in self._under(prefix):
            stale = upload["Initiated"] < oldest and is_artifact(upload["Key"])
            if upload["Key"] == key or stale:
                self.abort(upload["Key"], upload["UploadId"])

    def abort(self, key: str, upload: str) -> None:
        """Abort one upload, where the store allows it."""

        def abort() -> None:
            self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload)

        with suppress(*_PASSED_OVER):
            run_interruptibly(abort, self.cancel.check)

    def _under(self, prefix: str) -> Sequence[dict[str, Any]]:
        pages = self.client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        found: list[dict[str, Any]] = []

        def look() -> None:
            for page in pages:
                found.extend(_with(page.get("Uploads", ()), "Key", "UploadId", "Initiated"))

        with suppress(*_PASSED_OVER):
            run_interruptibly(look, self.cancel.check)
        return tuple(found)

    def _parts(self, key: str, upload: str) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("list_parts").paginate(
            Bucket=self.bucket, Key=key, UploadId=upload
        )
        return [
            part
            for page in pages
            for part in _with(page.get("Parts", ()), "PartNumber", "ETag", "Size")
        ]

    def _is_same(self, artifact: Artifact, part: Part, sent: dict[str, Any]) -> bool:
        """Return whether a part at the store is the one that this run would send."""
        if sent["Size"] != part.length:
            return False
        if "ChecksumCRC32" in sent:
            return bool(sent["ChecksumCRC32"] == base64_of(part.crc32))
        # A part's ETag is its MD5, except under SSE-KMS and SSE-C, where the part is sent again.
        md5 = hashlib.md5(usedforsecurity=False)
        try:
            for block in artifact.blocks(part.offset, part.length):
                md5.update(block)
                self.cancel.check()
        except AbsentContentError:
            # It can only have been copied, and is once more.
            return False
        return bool(sent["ETag"].strip('"') == md5.hexdigest())


def _with(entries: Sequence[Any], *names: str) -> Iterator[dict[str, Any]]:
    """Yield the entries of a listing that have all these fields."""
    for entry in entries:
        if all(name in entry for name in names):
            yield dict(entry)
