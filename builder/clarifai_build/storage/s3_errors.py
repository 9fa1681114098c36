"""What botocore raises, as the errors of this tool."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from clarifai_build.problem import BuilderError, NotAuthorisedError, StorageError
from clarifai_build.storage import UNCONDITIONAL
from clarifai_build.tokens import masked

REFUSED = frozenset(
    {"AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}
)
_EXISTS = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict"})
_UNKNOWN = frozenset({"NotImplemented", "501"})
_INVALID = frozenset({"InvalidArgument", "InvalidRequest"})
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchUpload"})


class AbsentError(Exception):
    """What was asked for is not there."""


class RefusedError(Exception):
    """The condition of a request does not hold."""


@contextmanager
def translated(bucket: str, *, conditional: bool = False) -> Iterator[None]:
    """Turn what botocore raises into errors that say which bucket, and what to do.

    Some stores call a condition invalid: `conditional` says that the request carried one.
    """
    try:
        yield
    except ClientError as exc:
        raise _meaning(exc, bucket, conditional=conditional) from exc
    except NoCredentialsError as exc:
        raise NotAuthorisedError.of(
            "no-credentials",
            f"no credentials for bucket {bucket} were found",
            hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
        ) from exc
    except BotoCoreError as exc:
        raise StorageError.of("store-unreachable", f"bucket {bucket}: {masked(str(exc))}") from exc


def refusal(operation: str, bucket: str, code: str) -> NotAuthorisedError:
    """Return what to say where the store takes credentials for none, too few or too old."""
    return NotAuthorisedError.of(
        "store-refused",
        f"the store refuses {operation} on bucket {bucket}: {code}",
        hint="the credentials need to read, list, write and delete objects under the prefix",
    )


def _meaning(
    exc: ClientError, bucket: str, *, conditional: bool
) -> BuilderError | AbsentError | RefusedError:
    code = exc.response["Error"]["Code"]
    if code in _EXISTS:
        return RefusedError()
    if code in _UNKNOWN or (conditional and code in _INVALID):
        return StorageError.of(UNCONDITIONAL, f"bucket {bucket}: {exc}")
    if code in _ABSENT:
        return AbsentError()
    if code in REFUSED:
        return refusal(exc.operation_name, bucket, code)
    if code == "NoSuchBucket":
        return StorageError.of("no-bucket", f"there is no bucket {bucket}", hint="create it")
    return StorageError.of("store-failed", f"bucket {bucket}: {exc}")
