"""One part of an upload, sent until it arrives or can't: what caused a failure, and what helps."""

from __future__ import annotations

import random
from http.client import HTTPException

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.errors import StorageError
from clarifai_build.net.s3_errors import REFUSED, refusal
from clarifai_build.net.s3_responses import NOT_S3_HINT
from clarifai_build.storage.upload.part_connection import StoreAnsweredError, Wire
from clarifai_build.storage.upload.parts import Part
from clarifai_build.util.redaction import masked

UNKNOWN_TO_STORE = frozenset({"NotImplemented", "InvalidArgument", "InvalidRequest", "501"})
"""What stores answer to a header that they do not know."""

# With random pauses of up to 0.5, 1, 2, 4 and 8 s between them.
_ATTEMPTS = 6
# 200 without an ETag is not a store's answer: something on the way may have made it up.
_MAY_PASS = frozenset({200, 408, 429, 500, 502, 503, 504})
# Beginnings of codes that come with status 400, though the next attempt may succeed.
_BROKEN_ON_THE_WAY = ("BadDigest", "IncompleteBody", "RequestTimeout", "XAmzContentChecksum")
_KEPT = "the parts that arrived are kept at the store, and the next run goes on from there"
_NO_CHECKSUMS = "should the store not know checksums, say `storage: {checksums: when_required}`"
_CHECKSUMS = "buckets with Object Lock want checksums: say `storage: {checksums: auto}`"


class UploadGoneError(Exception):
    """Another run has completed or aborted the upload in the meantime."""


class ChecksumsUnknownError(Exception):
    """The store takes no parts with checksums, though it let an upload with them begin."""


def send_part(wire: Wire, artifact: Artifact, part: Part) -> str:
    """Send one part, again after what may pass: with jitter, so that many do not come at once."""
    for attempt in range(_ATTEMPTS):
        try:
            return wire.send(artifact, part)
        except InterruptedError:
            raise
        except (OSError, HTTPException, StoreAnsweredError) as exc:
            if wire.stop.is_set():
                raise InterruptedError from exc
            if isinstance(exc, StoreAnsweredError):
                _refuse(exc, wire)
            if attempt == _ATTEMPTS - 1 or not _may_pass(exc):
                raise _failed(part, exc, checksums=wire.checksums) from exc
        wire.stop.wait(random.uniform(0, 2**attempt / 2))
    raise AssertionError("the last attempt returns or raises")


def _refuse(exc: StoreAnsweredError, wire: Wire) -> None:
    """Raise an error of its own for an answer that no other attempt would change."""
    if exc.code == "NoSuchUpload":
        raise UploadGoneError from exc
    if exc.code in REFUSED:
        raise refusal("UploadPart", wire.bucket, exc.code) from exc
    if exc.code in UNKNOWN_TO_STORE and wire.checksums:
        raise ChecksumsUnknownError from exc


def _may_pass(exc: Exception) -> bool:
    if isinstance(exc, StoreAnsweredError):
        return exc.status in _MAY_PASS or exc.code.startswith(_BROKEN_ON_THE_WAY)
    return True


def _failed(part: Part, exc: Exception, *, checksums: bool) -> StorageError:
    why, hint = masked(str(exc)), _KEPT
    if isinstance(exc, HTTPException) and not isinstance(exc, OSError):
        # Its words are the answer's, which may repeat what was signed.
        why, hint = "the server does not speak HTTP", NOT_S3_HINT
    elif isinstance(exc, StoreAnsweredError) and exc.status == 200:
        hint = NOT_S3_HINT
    elif isinstance(exc, StoreAnsweredError) and checksums and not _may_pass(exc):
        hint = f"{_KEPT}; {_NO_CHECKSUMS}"
    elif isinstance(exc, StoreAnsweredError) and exc.code == "InvalidRequest":
        hint = f"{_KEPT}; {_CHECKSUMS}"
    return StorageError.of("upload-failed", f"part {part.number} can't be sent: {why}", hint=hint)
