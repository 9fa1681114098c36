"""Answers' statuses, and the error that becomes one."""

from __future__ import annotations

from clarifai_grpc.grpc.api.status import status_code_pb2, status_pb2

Code = status_code_pb2.StatusCode


class ApiError(Exception):
    """A refusal: goes in-band, as the status of the answer."""

    def __init__(self, code: int, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


def status(code: int, details: str = "", request_id: str = "") -> status_pb2.Status:
    """Return a status whose description follows from its code; errors always have details."""
    description = status_code_pb2.StatusCode.Name(code).replace("_", " ").capitalize()
    if code == Code.SUCCESS:
        return status_pb2.Status(code=code, description="Ok", req_id=request_id)
    return status_pb2.Status(
        code=code,
        description=description,
        # The official clients expect an error to have details.
        details=details or description,
        req_id=request_id,
    )


def missing_model(model_id: str) -> ApiError:
    return ApiError(Code.MODEL_DOES_NOT_EXIST, f"model '{model_id}' does not exist in this app")


def missing_version(version_id: str, model_id: str) -> ApiError:
    return ApiError(Code.MODEL_DOES_NOT_EXIST, f"model '{model_id}' has no version '{version_id}'")


def invalid(details: str) -> ApiError:
    return ApiError(Code.MODEL_INVALID_ARGUMENT, details)
