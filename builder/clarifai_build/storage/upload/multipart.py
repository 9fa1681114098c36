"""A multipart upload: begun or resumed, missing parts sent in parallel, completed as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from clarifai_build.artifact.absent import AbsentContentError
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.errors import SourceError
from clarifai_build.net.s3_access import S3Access
from clarifai_build.net.s3_responses import required_field, s3_response
from clarifai_build.progress import ProgressCallback, Tally
from clarifai_build.storage import SentCallback, ignore_sent
from clarifai_build.storage.upload.absent_ranges import fetch_needed
from clarifai_build.storage.upload.copy_sources import EVEN_PARTS, CopySource
from clarifai_build.storage.upload.copy_warning import warn_not_copied
from clarifai_build.storage.upload.part_connection import Wire
from clarifai_build.storage.upload.part_sender import ChecksumsUnknownError
from clarifai_build.storage.upload.parts import Part, base64_of, cut_runs, parts_of, whole_crc32
from clarifai_build.storage.upload.stale_uploads import Unfinished
from clarifai_build.storage.upload.transfer import transfer
from clarifai_build.util.threads import run_interruptibly

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef


@dataclass(frozen=True, slots=True)
class Upload:
    """Where an artifact goes and how. `options` are headers of the new object.

    `cancel` is checked several times a second, and ends the upload even while the store does not
    answer. What lies in `sources` is copied at the store, where that proves what it copies.
    """

    access: S3Access
    bucket: str
    key: str
    options: dict[str, Any]
    checksums: bool
    progress: ProgressCallback
    sent: SentCallback = ignore_sent
    cancel: CancelToken = NEVER
    sources: Sequence[CopySource] = ()

    def run(self, artifact: Artifact, condition: dict[str, Any]) -> bool:
        """Send what is not there yet, then make it an object if `condition` holds.

        Returns whether the store compares checksums: one that does repeats those of parts.

        A ClientError of botocore, or a ChecksumsUnknownError, means that the store refused. The
        finished parts stay for the next run, except those of a source that changed, and where the
        store knows no checksums. Raises AbsentContentError where content has to be sent that is not
        on this machine.
        """
        even = EVEN_PARTS in self.access.client.meta.endpoint_url
        sources = self._usable_sources(even=even)

        def prepare() -> tuple[Artifact, list[Part]]:
            runs = cut_runs(artifact, sources, even=even)
            whole = fetch_needed(artifact, runs, self.sources, self.access.client)
            return whole, parts_of(whole, runs)

        artifact, parts = run_interruptibly(prepare, self.cancel.check)
        before = self._unfinished()
        upload, done = before.resume(self.key, artifact, parts) or (self._begin(), {})
        try:
            etags, summed = self._send(artifact, parts, upload, done)
        except AbsentContentError:
            # The next attempt has it, and goes on.
            raise
        except (SourceError, ChecksumsUnknownError):
            # The next attempt must not resume it: its content has changed, or it wants checksums.
            before.abort(self.key, upload)
            raise
        # Only what the store repeated, as boto3 has it: others may refuse XML that they don't know.
        summed = summed and self.checksums
        try:
            self._complete(self._completion(upload, parts, etags, condition, summed=summed))
        except ClientError as exc:
            if not self.checksums or exc.response["Error"]["Code"] != "MalformedXML":
                raise
            self._complete(self._completion(upload, parts, etags, condition, summed=False))
            return False
        return summed

    def _complete(self, complete: Callable[[], object]) -> None:
        with s3_response(self.bucket):
            run_interruptibly(complete, self.cancel.check)

    def abort_stale(self, prefix: str) -> None:
        """Abort leftovers: other uploads of this key, and old ones of any artifact."""
        self._unfinished().abort_stale(self.key, prefix)

    def _begin(self) -> str:
        options = self.options
        if self.checksums:
            options = options | {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
        begin = partial(
            self.access.client.create_multipart_upload, Bucket=self.bucket, Key=self.key, **options
        )
        with s3_response(self.bucket):
            begun = run_interruptibly(begin, self.cancel.check)
        return str(required_field(begun, "UploadId", self.bucket))

    def _send(
        self, artifact: Artifact, parts: list[Part], upload: str, done: dict[int, str]
    ) -> tuple[dict[int, str], bool]:
        tally = Tally("upload", artifact.size, self.progress)

        def count(length: int) -> None:
            self.sent(tally.add(length))

        count(sum(part.length for part in parts if part.number in done))
        wire = Wire(
            self.access,
            self.bucket,
            self.key,
            upload,
            self.checksums,
            count,
        )
        missing = [part for part in parts if part.number not in done]
        etags = transfer(wire, artifact, missing, self.progress, self.cancel)
        return done | etags, wire.summed.issuperset(etags)

    def _completion(
        self,
        upload: str,
        parts: list[Part],
        etags: dict[int, str],
        condition: dict[str, Any],
        *,
        summed: bool,
    ) -> Callable[[], object]:
        completed: list[CompletedPartTypeDef] = [
            {"PartNumber": part.number, "ETag": etags[part.number]} for part in parts
        ]
        whole: dict[str, Any] = {}
        if summed:
            whole = {"ChecksumCRC32": base64_of(whole_crc32(parts)), "ChecksumType": "FULL_OBJECT"}
            for entry, part in zip(completed, parts, strict=True):
                entry["ChecksumCRC32"] = base64_of(part.crc32)
        return partial(
            self.access.client.complete_multipart_upload,
            Bucket=self.bucket,
            Key=self.key,
            UploadId=upload,
            MultipartUpload={"Parts": completed},
            **whole,
            **condition,
        )

    def _usable_sources(self, *, even: bool) -> Sequence[CopySource]:
        """Return what to copy from, and say why where that is nothing."""
        if not self.sources or (self.checksums and not even):
            return self.sources
        why = "it wants parts of one size" if even else "without checksums it proves no copy"
        warn_not_copied(self.progress, f"nothing is copied at the store: {why}")
        return ()

    def _unfinished(self) -> Unfinished:
        return Unfinished(self.access.client, self.bucket, self.cancel)
