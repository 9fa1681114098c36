"""What builds artifacts, by version and digest: the tool, its template and its runtime."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from clarifai_build import __version__
from clarifai_build.render import TEMPLATE_VERSION, runtime_files
from clarifai_build.resources import template_dir


def now() -> dict[str, Any]:
    """Return what builds an artifact now, by the names that a lock gives it."""
    folder = template_dir()
    template = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return {
        "tool": __version__,
        "template": TEMPLATE_VERSION,
        "template_sha256": _digest(template),
        "runtime_sha256": _digest(runtime_files()),
    }


def _digest(files: Mapping[str, bytes]) -> str:
    """Return one digest of files: their paths and contents."""
    lines = [f"{hashlib.sha256(files[path]).hexdigest()} {path}\n" for path in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
