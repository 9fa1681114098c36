"""Where a symbolic link of the user's folder leads, and what is wrong with it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from typing import NamedTuple

# A part of the path is missing, or is a file where a folder should be.
_NOWHERE = frozenset({errno.ENOENT, errno.ENOTDIR})


class Link(NamedTuple):
    """What a link leads to: the file itself, and where it lies below the root.

    `place` is None where that is outside; `status` where it can't be reached, for the reason in
    `error`.
    """

    target: str
    place: str | None
    status: os.stat_result | None
    error: OSError | None

    @classmethod
    def of(cls, file: str, root: str) -> Link:
        """Look where the link `file` leads, through whatever links there are on the way."""
        target = os.path.realpath(file)
        place = None
        # With the separator, or `/model-old` would lie in `/model`; the root `/` has it already.
        if target == root or target.startswith(root.rstrip(os.sep) + os.sep):
            place = target[len(root) :].replace(os.sep, "/").strip("/")
        try:
            return cls(target, place, os.stat(file), None)  # noqa: PTH116 - text all the way
        except OSError as exc:
            return cls(target, place, None, exc)

    @property
    def is_folder(self) -> bool:
        """Whether it leads to a folder."""
        return self.status is not None and stat.S_ISDIR(self.status.st_mode)

    @property
    def places(self) -> list[tuple[str, bool]]:
        """Each folder from the root to the target, then the target, as (path, is a folder)."""
        if not self.place or self.status is None:
            return []
        parts = self.place.split("/")
        above = [("/".join(parts[:count]), True) for count in range(1, len(parts))]
        return [*above, (self.place, self.is_folder)]

    def trouble(self, way: Iterable[str]) -> str | None:
        """Return why it can't be followed; `way` holds the folders that the link lies in."""
        if self.error is not None:
            return self._unreachable(self.error)
        if self.place is None:
            return f"that leaves the folder, to {self.target}"
        inside = self.place and self.place + "/"
        if self.is_folder and any(folder.startswith(inside) for folder in way):
            return "to a folder that it lies in"
        if not self.is_folder and self.status and not stat.S_ISREG(self.status.st_mode):
            return f"to {self.target}, neither a file nor a folder"
        return None

    @property
    def way_out(self) -> str | None:
        """What to do where a tool that keeps large files made the link; None for all others."""
        if "/annex/objects/" in self.target:
            verb = "unlock" if self.status is not None else "get"
            return f"run `git annex {verb} {{}}`"
        if "/.dvc/cache/" in self.target and self.status is None:
            return "run `dvc pull {}`"
        return None

    def _unreachable(self, error: OSError) -> str:
        if error.errno == errno.ELOOP:
            return "that leads in a circle"
        if error.errno in _NOWHERE:
            return f"to {self.target}, which is not there"
        return f"to {self.target}, which can't be reached: {error.strerror}"
