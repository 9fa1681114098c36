"""A small file that is there whole, or as it was."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write(file: Path, content: bytes) -> None:
    """Replace a file; raises OSError where that can't be, and leaves nothing then."""
    file = Path(os.path.realpath(file))  # a link stays one
    partial = file.with_name(f".{file.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        partial.write_bytes(content)
        partial.replace(file)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
