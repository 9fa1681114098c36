"""Atomic writes, and what a file is called until it is whole."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

_UNFINISHED = re.compile(r"\..+\.\d+-[0-9a-f]{8}", re.DOTALL)
_LONGEST_STEM = 50  # a target's name may be as long as names can be; the mark makes it no longer


def atomic_write(file: Path, content: bytes) -> None:
    """Replace a file; raises OSError on failure, and leaves no partial file behind."""
    file = Path(os.path.realpath(file))  # a link stays one
    partial = partial_path(file, fresh_mark())
    try:
        partial.write_bytes(content)
        partial.replace(file)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def partial_path(target: Path, mark: str) -> Path:
    """Return where a file is written, beside its target, until it is whole."""
    return target.with_name(f".{target.name[:_LONGEST_STEM]}.{mark}")


def fresh_mark() -> str:
    """Return a suffix that makes partial files of different processes distinct."""
    # tempfile's import alone takes as long as packing a hundred files.
    return f"{os.getpid()}-{os.urandom(4).hex()}"


def is_unfinished(name: str) -> bool:
    """Return whether `name` is one of a file that is not whole yet."""
    return _UNFINISHED.fullmatch(name) is not None
