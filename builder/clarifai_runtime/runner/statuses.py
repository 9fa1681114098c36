"""What callers hear of a failure: its reason, and neither a traceback nor a path."""

from __future__ import annotations

import re
from typing import Any, Mapping, Optional, Sequence

from clarifai_grpc.grpc.api.status import status_code_pb2, status_pb2

from ..errors import RequestError

_CODES: Mapping[str, int] = {
    "INTERNAL": status_code_pb2.MODEL_PREDICTION_FAILED,
    "INVALID_ARG": status_code_pb2.INPUT_INVALID_ARGUMENT,
    "UNAVAILABLE": status_code_pb2.MODEL_BUSY_PLEASE_RETRY,
    "CANCELLED": status_code_pb2.MODEL_PREDICTION_FAILED,
}
# The folders before a file's name, not those of a URL.
_FOLDERS = re.compile(r"(?<![\w./:])/(?:[^\s/'\"]+/)+")
OK = status_pb2.Status(code=status_code_pb2.SUCCESS, description="Ok")


def status_of(error: RequestError) -> Any:
    """Return the status of one input that has no answer."""
    return _status(_CODES[error.code], str(error))


def overall(errors: Sequence[Optional[RequestError]]) -> Any:
    """Return the status of a whole request from what is wrong with each of its inputs."""
    if not errors:
        return _status(status_code_pb2.INPUT_INVALID_ARGUMENT, "the request has no inputs")
    failed = [error for error in errors if error is not None]
    if not failed:
        return OK
    code = status_code_pb2.FAILURE if len(failed) == len(errors) else status_code_pb2.MIXED_STATUS
    return _status(code, f"{len(failed)} of {len(errors)} inputs failed: {failed[0]}")


def without_folders(message: str) -> str:
    """Return a message in which files have their names alone."""
    return _FOLDERS.sub("", message)


def hide_traceback(response: Any) -> Any:
    """Remove from a response what the SDK puts there of a failure, beside its message."""
    status = response.status
    if status.code != status_code_pb2.SUCCESS:
        del status.stack_trace[:]
        status.internal_details = ""
        status.details = without_folders(status.details)
    return response


def _status(code: int, details: str) -> Any:
    description = status_code_pb2.StatusCode.Name(code).replace("_", " ").capitalize()
    return status_pb2.Status(code=code, description=description, details=without_folders(details))
