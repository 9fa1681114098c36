"""What builds artifacts, by version and digest: the tool, its template and its runtime."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from typing import Any

from clarifai_build._version import __version__
from clarifai_build.resources import files_below, template_dir
from clarifai_build.targets.template import TEMPLATE_VERSION
from clarifai_build.targets.vendored import runtime_files


def current_toolchain() -> dict[str, Any]:
    """Return what builds an artifact now, by the names that a lock gives it."""
    return {
        "tool": __version__,
        "template": TEMPLATE_VERSION,
        "template_sha256": template_digest(),
        "runtime_sha256": _digest(runtime_files()),
    }


@functools.cache
def template_digest() -> str:
    """Return one digest of all files of the template."""
    return _digest(files_below(template_dir()))


def _digest(files: Mapping[str, bytes]) -> str:
    """Return one digest of files: their paths and contents."""
    # Sorted: the order of a listing differs by file system.
    lines = [f"{hashlib.sha256(files[path]).hexdigest()} {path}\n" for path in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
