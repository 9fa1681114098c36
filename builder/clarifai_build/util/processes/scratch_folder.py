"""Temporary folders that do not outlive their process by long, though it be killed."""

from __future__ import annotations

import functools
import os
import tempfile
import weakref
from pathlib import Path

from clarifai_build.util.atomic_file import hold, remove_abandoned, scratch_prefix


class ScratchFolder(tempfile.TemporaryDirectory[str]):
    """A private folder, beside `target` or where temporary ones lie, that its process holds.

    What killed processes left in the same place is removed. Raises OSError where there is no place.
    """

    def __init__(self, target: Path | None = None) -> None:
        parent = Path(tempfile.gettempdir()) if target is None else target.parent
        _clear(parent)
        super().__init__(prefix=scratch_prefix(target), dir=parent)
        if os.name == "posix":
            descriptor = os.open(self.name, os.O_RDONLY)
            hold(descriptor, Path(self.name))
            weakref.finalize(self, os.close, descriptor)


@functools.cache
def _clear(parent: Path) -> None:
    # Once a process: a folder for temporary files may be a long one.
    remove_abandoned(parent)
