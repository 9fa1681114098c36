"""The folder of this tool in the user's cache. Whatever lies there may be removed at any time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder, by the XDG convention."""
    base = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".cache"
    return Path(base) / "clarifai-build"


def digests_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the digests of files are kept."""
    return cache_folder(environ) / "digests-2.sqlite"


def weights_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where fetched weights are kept, each under its SHA-256."""
    return cache_folder(environ) / "weights"


def deflated_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where compressed files are kept, each under the SHA-256 of its content."""
    return cache_folder(environ) / "deflated"


def renders_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where rendered files are kept, each rendering under its digest."""
    return cache_folder(environ) / "renders"
