"""Settings from the environment, else from the current context of the official Clarifai CLI.

Contexts are read from `~/.config/clarifai/config` and never written.
"""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clarifai_build.errors import ManifestError
from clarifai_build.manifest.document import Document, read

# The official CLI's word in a context for 'take it from the environment'.
DEFER = "ENVVAR"
NAMES = (
    "CLARIFAI_PAT",
    "CLARIFAI_SESSION_TOKEN",
    "CLARIFAI_USER_ID",
    "CLARIFAI_APP_ID",
    "CLARIFAI_API_BASE",
    "CLARIFAI_UI",
    "CLARIFAI_ROOT_CERTIFICATES_PATH",
)


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and where it came from. The value stays out of reprs: it may be a token."""

    value: str = field(repr=False)
    origin: str


def setting(name: str, environ: Mapping[str, str]) -> Setting | None:
    """Return the setting `name`: the environment wins over the context; empty is not set."""
    if value := environ.get(name):
        return Setting(value, f"environment variable {name}")
    if not name.startswith("CLARIFAI_"):
        return None
    document = _config(environ)
    if document is None:
        return None
    context = environ.get("CLARIFAI_CONTEXT") or document.get("current_context")
    value = document.get("contexts", context, name) if isinstance(context, str) else None
    if not isinstance(value, str) or not value or value == DEFER:
        return None
    return Setting(value, f"context '{context}' in {document.name}")


def merged(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment, with what only the current context sets added to it."""
    found = {name: setting(name, environ) for name in NAMES}
    return {**environ, **{name: one.value for name, one in found.items() if one}}


def _config(environ: Mapping[str, str]) -> Document | None:
    # USERPROFILE is what Windows sets.
    home = environ.get("HOME") or environ.get("USERPROFILE")
    path = os.path.join(home or "", ".config", "clarifai", "config")  # noqa: PTH118 - once a reference
    try:
        status = os.stat(path)  # noqa: PTH116 - likewise
    except (OSError, ValueError):
        return None
    if not home or not stat.S_ISREG(status.st_mode):
        return None
    return _read(path, (status.st_mtime_ns, status.st_size, status.st_ino))


@functools.lru_cache(maxsize=2)
def _read(path: str, _stamp: tuple[int, int, int]) -> Document | None:
    """Read the file once, as long as it is the same: a manifest may have many references."""
    try:
        return read(Path(path))
    except ManifestError:
        # The official CLI's file is not this tool's to check: unreadable, it sets nothing.
        return None
