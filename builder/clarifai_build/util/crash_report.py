"""Bugs of this tool: an unexpected exception becomes an error, its traceback a file."""

from __future__ import annotations

import errno
import os

from clarifai_build._version import __version__
from clarifai_build.errors import BuilderError, cannot_read, cannot_write
from clarifai_build.util.tokens.variables import secret_values, without_secrets

# What the system says of a path whatever a program does with it: a look at one raises it, too.
_OF_READING = frozenset((errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.ELOOP, errno.EIO))
_OF_WRITING = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS))


class InternalError(BuilderError):
    """A bug of this tool."""

    # EX_SOFTWARE in sysexits.h.
    exit_code = 70


def refused_path(error: Exception) -> BuilderError | None:
    """Return what to say where the system refuses a path, which is no bug; else None."""
    if not isinstance(error, OSError) or error.filename is None:
        return None
    file = os.fsdecode(error.filename)
    if error.errno in _OF_READING:
        return BuilderError(cannot_read(file, error))
    return BuilderError(cannot_write(file, error)) if error.errno in _OF_WRITING else None


def internal_error(error: Exception) -> InternalError:
    """Write the traceback to a file that can be attached to a report, and say where."""
    import traceback

    trace = without_secrets("".join(traceback.format_exception(error)), secret_values())
    return InternalError.of(
        "internal-error",
        f"a bug in clarifai-build {__version__}: {type(error).__name__}: {error}",
        hint=_write_traceback(trace),
    )


def _write_traceback(trace: str) -> str:
    import tempfile

    try:
        handle, path = tempfile.mkstemp(prefix="clarifai-build-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.write(trace)
    except OSError:  # no folder for it
        return f"please report it, with this:\n{trace}"
    return f"the traceback is in {path}; please report it"
