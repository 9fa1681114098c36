"""The files of Git's index, whether they are in the work tree or not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from clarifai_build.util.vcs.process import must

LISTED = ("ls-files", "-v", "-s", "-z")
"""The command that lists an index as `entries` reads it."""

_SUBMODULE = "160000"


class Tracked(NamedTuple):
    """A file of the index, by its path below the folder that was asked about.

    `hidden`: Git was told not to look at it (sparse checkout, assume-unchanged).
    """

    path: str
    sha: str
    submodule: bool
    hidden: bool


def index_of(folder: Path) -> Iterator[Tracked]:
    """Yield the files below a folder that are in the index."""
    return entries(must(folder, *LISTED, "--", "."))


def entries(listed: bytes) -> Iterator[Tracked]:
    """Yield the files that a command listed."""
    for line in listed.split(b"\0"):
        if line:
            said, _, path = line.partition(b"\t")
            tag, mode, sha, _stage = said.decode().split()
            yield Tracked(os.fsdecode(path), sha, mode == _SUBMODULE, tag == "S" or tag.islower())
