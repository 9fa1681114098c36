"""The runtime as it travels in every artifact."""

from __future__ import annotations

import functools

from clarifai_build.repository_layout import RUNTIME
from clarifai_build.resources import files_below, runtime_dir


@functools.cache
def runtime_files() -> dict[str, bytes]:
    """Return the runtime as it is vendored: path in the artifact to content."""
    return {
        RUNTIME + path: content
        for path, content in files_below(runtime_dir()).items()
        # With what editors and pip leave there, the digest would differ by machine.
        if path.endswith((".py", "py.typed"))
    }
