"""What can go wrong with one request. Each carries the Triton error code it is answered with."""

from __future__ import annotations


class RequestError(Exception):
    """One request can't be answered; the others are not concerned."""

    code = "INTERNAL"


class InvalidInputError(RequestError, ValueError):
    """The caller sent something the model does not take."""

    code = "INVALID_ARG"


class InvalidOutputError(RequestError, ValueError):
    """The model returned something its type does not allow."""


class ModelFailedError(RequestError):
    """The user's code raised."""


class OutOfMemoryError(ModelFailedError):
    """The user's code ran out of memory: the same request may succeed later."""

    code = "UNAVAILABLE"


class CancelledError(RequestError):
    """Nobody waits for the answer any more."""

    code = "CANCELLED"


class ModelLoadError(Exception):
    """The user's model can't be loaded, or does not fit its declaration."""
