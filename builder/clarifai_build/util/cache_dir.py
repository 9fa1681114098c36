"""The folder of this tool in the user's cache. Whatever lies there may be removed at any time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from clarifai_build.errors import UsageError

DIGESTS = "digests-{}.sqlite"
"""What the file of digests is called, by the number of its format."""

_USED = ".used"
_SOURCE = ".source"


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder, by the XDG convention, which ignores relative paths.

    Raises UsageError where nothing says which folder is the user's.
    """
    base = Path(environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():
        base = _home(environ) / ".cache"
    return base / "clarifai-build"


def _home(environ: Mapping[str, str]) -> Path:
    try:
        return Path(environ.get("HOME") or "~").expanduser()
    except RuntimeError as exc:
        raise UsageError.of(
            "no-home",
            "there is no home folder to keep digests and weights in",
            hint="set HOME, or XDG_CACHE_HOME to an absolute path",
        ) from exc


def mark_used(file: Path) -> None:
    """Note that a cached file is in use: not by its own times, by which its digests are known."""
    with suppress(OSError):
        mark_of(file).touch()


def mark_of(file: Path) -> Path:
    """Return what lies beside a cached file, and was touched when that was last used."""
    return file.with_name(file.name + _USED)


def source_of(file: Path) -> Path:
    """Return what lies beside a cached weight, and says which object it was read from."""
    return file.with_name(file.name + _SOURCE)


def is_mark(file: Path) -> bool:
    """Return whether a file lies beside another one, and goes with it."""
    return file.name.endswith((_USED, _SOURCE))


def weights_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where fetched weights are kept, each under its SHA-256."""
    return cache_folder(environ) / "weights"


def deflated_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where compressed files are kept, each under the SHA-256 of its content."""
    return cache_folder(environ) / "deflated"


def renders_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where rendered files are kept, each rendering under its digest."""
    return cache_folder(environ) / "renders"
