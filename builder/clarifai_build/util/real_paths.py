"""Real paths below a folder whose own is known: what lies above it is not looked at again."""

from __future__ import annotations

import os
import stat

# Elsewhere a folder may lead on without being a symbolic link, or have a short name.
_IS_POSIX = os.name == "posix"


def real_in(folder: str, name: str) -> str:
    """Return what `os.path.realpath` says of a name in `folder`, which is such a path itself.

    Raises ValueError for a null character.
    """
    place = os.path.join(folder, name)  # noqa: PTH118 - text: for each file of each manifest
    if name == ".":
        return folder
    if not (_IS_POSIX and name) or "/" in name or name == "..":
        return os.path.realpath(place)
    try:
        is_link = stat.S_ISLNK(os.lstat(place).st_mode)
    except OSError:
        return place  # as realpath has it: what is not there leads nowhere
    return os.path.realpath(place) if is_link else place


def is_within(folder: str, place: str) -> bool:
    """Return whether a place is a folder itself or lies in it; both are real paths."""
    return place == folder or place.startswith(_ended(folder))


def path_below(folder: str, place: str) -> str:
    """Return the path from a folder to a place, both absolute and normal, with `/`."""
    root = _ended(folder)
    below = place[len(root) :] if place.startswith(root) else os.path.relpath(place, folder)
    return below.replace(os.sep, "/") or "."


def _ended(folder: str) -> str:
    # The root ends so by itself.
    return folder if folder.endswith(os.sep) else folder + os.sep
