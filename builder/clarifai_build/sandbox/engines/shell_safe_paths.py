"""Names for folders that survive a shell.

Triton's Python backend starts its stub by a `bash -c` line that quotes nothing, so a folder whose
name holds a space or a quote can't be served from where it lies.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from pathlib import Path

from clarifai_build.errors import SandboxError

_SHARED = Path("/tmp")


def plain(folder: Path) -> Path:
    """Return the folder itself if a shell takes its name as it is, else a link that leads to it."""
    if is_plain(folder):
        return folder
    link = _link(folder)
    links = link.parent
    links.mkdir(mode=0o700, exist_ok=True)
    # /tmp is open to all: another user could have made the folder, or a link, first.
    owner = links.lstat()
    if owner.st_uid != os.getuid() or links.is_symlink():
        raise SandboxError.of(
            "unsafe-links",
            f"{links} belongs to somebody else, and '{folder}' needs a link in it",
            hint="name a folder without spaces and quotes in its path: for the sandbox by --state, "
            "for `test --triton` in TMPDIR",
        )
    # Made aside and renamed, so that there is a link at any moment.
    fresh = link.with_name(f"{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder)
    fresh.replace(link)
    return link


def forget(folder: Path) -> None:
    """Remove the link to a folder, if there is one."""
    _link(folder).unlink(missing_ok=True)


def is_plain(path: Path) -> bool:
    """Return whether a shell takes the path as it is."""
    return shlex.quote(str(path)) == str(path)


def _link(folder: Path) -> Path:
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    return _SHARED / f"clarifai-build-{os.getuid()}" / name
