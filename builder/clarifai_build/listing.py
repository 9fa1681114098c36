"""What goes into an artifact and what stays out, with sizes, before anything is built."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from clarifai_build.layout import look_around

if TYPE_CHECKING:
    from clarifai_build.manifest import Manifest


class Listed(NamedTuple):
    """A file or folder of the user's; `reason` says why it stays out, empty where it goes in."""

    path: str
    size: int
    reason: str


def listing(manifest: Manifest, output: Path | None = None) -> list[Listed]:
    """List the user's files by path; a folder that stays out is one line with its whole size."""
    files, left = look_around(manifest, output)
    listed = [Listed(file.path, file.stamp.size, "") for file in files]
    listed += [Listed(item.path, _size(item.file), item.reason) for item in left]
    return sorted(listed)


def _size(file: str) -> int:
    if not Path(file).is_dir() or Path(file).is_symlink():
        return os.lstat(file).st_size
    return sum(
        os.lstat(Path(folder) / name).st_size
        for folder, _, names in os.walk(file)
        for name in names
    )
