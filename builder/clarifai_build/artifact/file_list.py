"""What goes into an artifact and what stays out, with sizes, before anything is built."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from clarifai_build.artifact.layout import walk_source
from clarifai_build.errors import SourceError

if TYPE_CHECKING:
    from clarifai_build.manifest.types import Manifest


class Listed(NamedTuple):
    """A file or folder of the user's; `reason` says why it stays out, empty where it goes in."""

    path: str
    size: int
    reason: str


def listing(manifest: Manifest, output: Path | None = None) -> list[Listed]:
    """List the user's files by path; a folder that stays out is one line with its whole size."""
    found = walk_source(manifest, output)
    if found.problems:
        raise SourceError(*found.problems)
    listed = [Listed(file.path, file.stamp.size, "") for file in found.files]
    listed += [Listed(item.path, _size(item.file), item.reason) for item in found.left]
    return sorted(listed)


def _size(file: str) -> int:
    """Return the size of all below a path; what vanishes or can't be read counts as zero."""
    size, waiting = 0, [file]
    while waiting:
        path = waiting.pop()
        try:
            # Links are not followed: one to a folder above it would never end.
            status = os.lstat(path)
            if stat.S_ISDIR(status.st_mode):
                waiting += [f"{path}/{name}" for name in os.listdir(path)]  # noqa: PTH208 - names
            else:
                size += status.st_size
        except OSError:
            continue
    return size
