"""Rendered files, kept: loading what renders takes longer than all else that a no-op does.

A rendering follows from its context, the template and this tool's version, so it is kept under
their digest. It may be lost at any time: what can't be read or written is rendered again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from clarifai_build._version import __version__
from clarifai_build.targets.context import RenderContext
from clarifai_build.targets.toolchain import template_digest
from clarifai_build.targets.vendored import runtime_files
from clarifai_build.util.atomic_file import atomic_write
from clarifai_build.util.canonical_json import canonical_json
from clarifai_build.util.small_files import MIB, parse_json, read_small

_MAX_BYTES = 64 * MIB


def render_once(
    context: RenderContext, folder: Path | None, render: Callable[[RenderContext], dict[str, bytes]]
) -> dict[str, bytes]:
    """Return what `render` does, from `folder` where it was rendered before."""
    if folder is None:
        return render(context)
    file = folder / f"{_digest(context)}.json"
    try:
        checksum, _, content = read_small(file, _MAX_BYTES).partition(b"\n")
        if checksum != _checksum(content):
            raise ValueError
        kept = parse_json(content)
        return {path: text.encode() for path, text in kept.items()} | runtime_files()
    # AttributeError: JSON of another form has no items, or its values are not text.
    except (OSError, ValueError, AttributeError):
        files = render(context)
    own = {path: data.decode() for path, data in files.items() if path not in runtime_files()}
    content = json.dumps(own).encode()
    _keep(file, _checksum(content) + b"\n" + content)
    return files


def _digest(context: RenderContext) -> str:
    parts = [__version__, template_digest(), canonical_json(context.variables)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _checksum(content: bytes) -> bytes:
    """Return a checksum, by which a file that was damaged on disk is known."""
    return hashlib.sha256(content).hexdigest().encode()


def _keep(file: Path, content: bytes) -> None:
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, content)
