"""A commit's files, written elsewhere as a checkout would write them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from clarifai_build.util.processes.scratch_folder import ScratchFolder
from clarifai_build.util.vcs.index import LISTED, Tracked, entries
from clarifai_build.util.vcs.process import GitError, line, must, repository_above, told

_UPDATE = "`git submodule update --init --recursive` brings it"
# A copy is whole, and runs no hooks.
_WHOLE = ["-c", "core.sparseCheckout=false", "-c", "core.fsmonitor=false"]
_WHOLE += ["-c", f"core.hooksPath={os.devnull}"]


class RevisionCopy(NamedTuple):
    """A commit of the repository that `folder` is in, to be written below `target`.

    The repository and its index are not touched.
    """

    folder: Path
    commit: str
    target: Path

    def write(self, below: str) -> None:
        """Write the files whose paths begin with `below`, which ends in `/` or is empty."""
        self.target.mkdir(parents=True, exist_ok=True)
        with ScratchFolder() as made:
            environ = {
                "GIT_DIR": told(self.folder, "rev-parse", "--absolute-git-dir"),
                "GIT_WORK_TREE": str(self.target),
                # Without it, read-tree would overwrite the user's index.
                "GIT_INDEX_FILE": str(Path(made, "index")),
            }
            self._git(environ, "read-tree", f"{self.commit}:{below}")
            # All of it: attributes of the folders above decide on line ends and filters.
            self._git(environ, "read-tree", self.commit)
            listed = entries(self._git(environ, *LISTED))
            found = [one for one in listed if one.path.startswith(below)]
            paths = [os.fsencode(one.path) + b"\0" for one in found if not one.submodule]
            self._git(environ, "checkout-index", "-z", "--stdin", given=b"".join(paths))
        for one in found:
            if one.submodule:
                self._submodule(one)

    def _submodule(self, one: Tracked) -> None:
        there = Path(told(self.folder, "rev-parse", "--show-toplevel"), one.path)
        if repository_above(there) != there.resolve():
            message = f"the submodule {one.path} is not initialised: its files are not here"
            raise GitError.of("submodule-empty", message, hint=_UPDATE)
        if not line(there, "rev-parse", "--verify", "--quiet", f"{one.sha}^{{commit}}"):
            message = f"the submodule {one.path} lacks its commit {one.sha}"
            hint = f"`git -C {one.path} fetch --all` brings what its remote has"
            raise GitError.of("no-revision", message, hint=hint)
        RevisionCopy(there, one.sha, self.target / one.path).write("")

    def _git(self, environ: Mapping[str, str], *arguments: str, given: bytes = b"") -> bytes:
        return must(self.target, *_WHOLE, *arguments, environ=environ, given=given)
