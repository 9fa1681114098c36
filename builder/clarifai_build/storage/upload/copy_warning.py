"""The warning that something is sent which the store could have copied."""

from __future__ import annotations

from clarifai_build.progress import ProgressCallback, warn


def warn_not_copied(progress: ProgressCallback, message: str) -> None:
    """Say why something is sent that the store has."""
    hint = "what is missing is sent; `storage: {reuse: never}` copies nothing, without this warning"
    warn(progress, "not-copied", message, stage="upload", hint=hint)
