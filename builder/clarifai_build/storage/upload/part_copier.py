"""Parts of an upload that the store copies from objects it has, where it proves what it did.

No request says which CRC-32 is expected. A store that answers with the right one has computed it
from what it copied, which proves the part; the completion names that of the whole besides. The
first copy is waited for before any other begins: a store that answers without a sum has then copied
one part in vain, and the rest is sent. (To try a completion with a wrong sum would cost four
requests, and leave an object where the store does not notice.)
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.net.s3_errors import answered
from clarifai_build.net.s3_failures import described
from clarifai_build.net.s3_responses import UNREADABLE
from clarifai_build.progress import ProgressCallback
from clarifai_build.storage.upload.copy_sources import CopySource
from clarifai_build.storage.upload.copy_warning import warn_not_copied
from clarifai_build.storage.upload.part_connection import Wire
from clarifai_build.storage.upload.part_sender import UploadGoneError, send_part
from clarifai_build.storage.upload.parts import Part, base64_of

_REPLACED = frozenset({"PreconditionFailed", "412"})
_GONE = frozenset({"NoSuchKey", "NoSuchBucket", "NotFound", "404"})
# Whatever the source is: there is no such request.
_UNKNOWN = frozenset({"NotImplemented", "MethodNotAllowed", "501", "405"})


class NotCopiedError(Exception):
    """A part was not copied, or not provably; `whole` says that no other will be, either."""

    def __init__(self, why: str, *, whole: bool = False) -> None:
        self.whole = whole
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Copier:
    """Copies parts of the upload of a wire, from any number of threads; what it can't, it sends."""

    wire: Wire
    progress: ProgressCallback
    first: threading.Lock = field(default_factory=threading.Lock)
    proven: threading.Event = field(default_factory=threading.Event)
    refusing: threading.Lock = field(default_factory=threading.Lock)
    refused: set[tuple[str, str]] = field(default_factory=set)
    """Bucket and key of the sources that are copied from no more; an empty key stands for all."""

    def copy_or_send(self, artifact: Artifact, part: Part) -> str:
        """Return the ETag of a part; raises as `send_part` does, and UploadGoneError as it does."""
        return self._copied(part) or send_part(self.wire, artifact, part)

    def _copied(self, part: Part) -> str | None:
        with self.first:
            # One at a time, until one has proven the store.
            if not self.proven.is_set():
                return self._try(part)
        return self._try(part)

    def _try(self, part: Part) -> str | None:
        source = part.source
        if self.wire.stop.is_set():
            raise InterruptedError
        if source is None or not self.refused.isdisjoint({_named(source), ("", "")}):
            return None
        try:
            etag = copy_part(self.wire, part, source)
        except NotCopiedError as exc:
            self._refuse(source, exc)
            return None
        self.proven.set()
        self.wire.summed.add(part.number)
        self.wire.count(part.length)
        return etag

    def _refuse(self, source: CopySource, exc: NotCopiedError) -> None:
        """Copy no more from a source, and say why, once."""
        refused = ("", "") if exc.whole else _named(source)
        with self.refusing:
            known = refused in self.refused
            self.refused.add(refused)
        if not known:
            what = "nothing is" if exc.whole else f"{source.key} is not"
            warn_not_copied(self.progress, f"{what} copied at the store: {exc}")


def copy_part(wire: Wire, part: Part, source: CopySource) -> str:
    """Have the store copy one part, and return its ETag; raises NotCopiedError unless it proves it.

    Raises UploadGoneError where another run has ended the upload.
    """
    try:
        answer = wire.access.client.upload_part_copy(
            Bucket=wire.bucket,
            Key=wire.key,
            UploadId=wire.upload,
            PartNumber=part.number,
            CopySource={"Bucket": source.bucket, "Key": source.key},
            CopySourceIfMatch=f'"{source.etag}"',
            CopySourceRange=f"bytes={part.start}-{part.start + part.length - 1}",
        )
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "NoSuchUpload":
            raise UploadGoneError from exc
        raise _refusal(exc) from exc
    except BotoCoreError as exc:
        raise NotCopiedError(described(exc)[0]) from exc
    except UNREADABLE as exc:
        raise NotCopiedError("what the store answers can't be read") from exc
    made = answer.get("CopyPartResult", {})
    if not made.get("ETag"):
        raise NotCopiedError("what the store answers has no ETag")
    if "ChecksumCRC32" not in made:
        raise NotCopiedError("the store gives no CRC-32 of what it copied", whole=True)
    if made["ChecksumCRC32"] != base64_of(part.crc32):
        raise NotCopiedError("it holds something else than its record says")
    return made["ETag"]


def _refusal(exc: ClientError) -> NotCopiedError:
    code = exc.response["Error"]["Code"]
    if code in _REPLACED:
        return NotCopiedError("it was replaced since it was put on record")
    if code in _GONE:
        return NotCopiedError("it is gone")
    return NotCopiedError(answered(exc), whole=code in _UNKNOWN)


def _named(source: CopySource) -> tuple[str, str]:
    return source.bucket, source.key
