"""What botocore raises, as the errors of this tool.

What a store or an exception says is not shown: it may repeat what was signed, and with what.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from botocore.exceptions import ClientError

from clarifai_build.errors import (
    BuilderError,
    ConditionalWritesUnsupportedError,
    NotAuthorisedError,
    StorageError,
)
from clarifai_build.net.s3_failures import described, is_about_credentials, is_librarys
from clarifai_build.util.redaction import has_token

_REACH = "the credentials need to read, list, write and delete objects under the prefix"
_RIGHT = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the profile"
_EXPIRED = "the credentials have expired: get new ones, AWS_SESSION_TOKEN included"
_CLOCK = "set this machine's clock: it is more than minutes off the store's"
_BODILESS = (
    "AWS answers so where credentials have expired, and where the bucket is in another region: get "
    "new credentials, and check `storage.region`"
)
_REGION = "set `storage.region`, or AWS_REGION, to the region of the bucket"
_ELSEWHERE = (
    "write in `storage.endpoint_url` where that leads to, often https:// instead of http://; on "
    "AWS, correct `storage.region`"
)
_REFUSALS = {
    "AccessDenied": _REACH,
    "403": f"{_RIGHT}; {_REACH}",
    **dict.fromkeys(("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"), _RIGHT),
    **dict.fromkeys(("UnrecognizedClientException", "InvalidClientTokenId", "401"), _RIGHT),
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"), _EXPIRED),
    "RequestTimeTooSkewed": _CLOCK,
}
REFUSED = frozenset(_REFUSALS)
"""The codes of a store that does not take the credentials."""
_NO_BUCKET = "create it, or correct storage.bucket"
_WAYS_OUT = {
    **dict.fromkeys(("AuthorizationHeaderMalformed", "PermanentRedirect"), _REGION),
    **dict.fromkeys(("301", "302", "307", "308"), _ELSEWHERE),
    "AccessControlListNotSupported": "set `access: public`, and allow reading by a bucket policy",
    "SlowDown": "the store is busy; try again later",
}
_EXISTS = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict"})
_UNKNOWN = frozenset({"NotImplemented", "501"})
# What may be meant by them is the condition, or anything else that the store does not like.
_DOUBTFUL = _UNKNOWN | {"InvalidArgument", "InvalidRequest", "400"}
_CONDITIONS = ("if-none-match", "if-match")
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchUpload"})
# Codes are words in CamelCase; anything else may repeat what was sent.
_CODE = re.compile(r"[A-Z][A-Za-z0-9]{2,47}")
# Below AWS's limit of 15 minutes.
_MOST_SKEW = timedelta(minutes=10)


class AbsentError(Exception):
    """What was asked for is not there."""


class RefusedError(Exception):
    """The condition of a request does not hold."""


class ConditionDoubtedError(Exception):
    """A request with a condition is refused, and that may be for the condition: `told` if not."""

    def __init__(self, told: BuilderError) -> None:
        self.told = told
        super().__init__(str(told))


@contextmanager
def map_boto_errors(bucket: str, *, conditional: bool = False) -> Iterator[None]:
    """Turn what botocore raises into errors that say which bucket, and what to do.

    With `conditional`, the request depends on what lies at its key, which not all stores know: what
    they answer is seldom unmistakable, and else a ConditionDoubtedError.
    """
    try:
        yield
    except ClientError as exc:
        raise _meaning(exc, bucket, conditional=conditional) from exc
    except RecursionError as exc:  # what botocore makes of an address that leads elsewhere
        message = f"bucket {bucket}: the store's address redirects"
        raise StorageError.of("store-failed", message, hint=_ELSEWHERE) from exc
    except Exception as exc:
        if isinstance(exc, BuilderError) or not is_librarys(exc):
            raise
        raise _failure(exc, bucket) from exc


def refusal(operation: str, bucket: str, code: str) -> NotAuthorisedError:
    """Return the error of a store that takes credentials as unknown, insufficient or expired."""
    return _refusal(operation, bucket, code, _REFUSALS.get(code, _REACH))


def _failure(exc: Exception, bucket: str) -> BuilderError:
    """Return the error of a request that got no answer, or was never sent."""
    message, hint = described(exc)
    if is_about_credentials(exc):
        message = f"no credentials for bucket {bucket}: {message}"
        return NotAuthorisedError.of("no-credentials", message, hint=hint)
    return StorageError.of("store-unreachable", f"bucket {bucket}: {message}", hint=hint)


def _meaning(
    exc: ClientError, bucket: str, *, conditional: bool
) -> BuilderError | AbsentError | RefusedError | ConditionDoubtedError:
    code, operation = exc.response["Error"]["Code"], exc.operation_name
    if code in _EXISTS:
        return RefusedError()
    if conditional and code in _DOUBTFUL:
        return _unknown_condition(exc, bucket)
    if code in _ABSENT:
        return AbsentError()
    if code == "403" and _clock_is_off(exc):
        return _refusal(operation, bucket, code, _CLOCK)
    if code in REFUSED:
        return refusal(operation, bucket, code)
    if code == "400" and operation.startswith("Head"):
        return _refusal(operation, bucket, code, _BODILESS)
    if code == "NoSuchBucket":
        return StorageError.of("no-bucket", f"there is no bucket {bucket}", hint=_NO_BUCKET)
    message = f"bucket {bucket}: {answered(exc)}"
    return StorageError.of("store-failed", message, hint=_WAYS_OUT.get(code))


def _unknown_condition(exc: ClientError, bucket: str) -> BuilderError | ConditionDoubtedError:
    code = exc.response["Error"]["Code"]
    # AWS, and who follows it, says which header is meant.
    said = " ".join(map(str, exc.response["Error"].values())).lower()
    if code in _UNKNOWN and any(name in said for name in _CONDITIONS):
        return unsupported(bucket)
    message = f"bucket {bucket}: {answered(exc)}"
    return ConditionDoubtedError(StorageError.of("store-failed", message, hint=_WAYS_OUT.get(code)))


def unsupported(bucket: str) -> ConditionalWritesUnsupportedError:
    """Return the error of a store that takes a request but with a condition."""
    message = f"bucket {bucket}: the store knows no conditional writes"
    return ConditionalWritesUnsupportedError.of("no-conditional-writes", message)


def _refusal(operation: str, bucket: str, code: str, hint: str) -> NotAuthorisedError:
    message = f"the store refuses {operation} on bucket {bucket}: {code}"
    return NotAuthorisedError.of("store-refused", message, hint=hint)


def answered(exc: ClientError) -> str:
    """Say how the store answered, by status and code."""
    status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
    code = exc.response["Error"]["Code"]
    if not _CODE.fullmatch(code) or has_token(code):
        code = ""
    return f"the store answers {exc.operation_name} with {status} {code}".rstrip()


def _clock_is_off(exc: ClientError) -> bool:
    """Return whether a refusal without a reason has this one: HEAD is answered without a body."""
    headers = exc.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        skew = datetime.now(timezone.utc) - parsedate_to_datetime(headers["date"])
    except (KeyError, TypeError, ValueError):
        return False
    return abs(skew) > _MOST_SKEW
