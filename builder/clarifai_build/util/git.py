"""What Git knows of a folder, and its files as they were at another commit.

The one module that asks Git. Outside a repository there is nothing to know; in one, an answer that
Git does not give is a GitError, and never taken for "no repository", "no changes" or "no commit".
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clarifai_build.errors import SourceError
from clarifai_build.util.vcs.index import Tracked, index_of
from clarifai_build.util.vcs.process import answers, line, must, told

_INSTALL = "install Git, and run this inside a clone of the repository"
# What a user, a repository or a file system may have switched off, and a rebuild would notice.
_STRICT = [
    *("-c", "core.fileMode=true", "-c", "core.ignoreCase=false", "-c", "core.symlinks=true"),
    *("-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false"),
]


@dataclass(frozen=True, slots=True)
class Checkout:
    """A folder's commit, as hex digits. What was built into `dist` does not make it dirty."""

    commit: str
    dirty: bool


def checkout_of(folder: Path) -> Checkout | None:
    """Return what Git says of the folder, or None outside a repository or before any commit."""
    commit = commit_of(folder, "HEAD")
    if commit is None:
        return None
    return Checkout(commit, bool(_changes(folder)) or _has_hidden_changes(folder))


def remote_of(folder: Path) -> str:
    """Return the URL of the repository's `origin`, or nothing."""
    return line(folder, "remote", "get-url", "origin") if answers(folder) else ""


def branch_of(folder: Path) -> str:
    """Return the branch that is checked out, or nothing where it is a commit alone."""
    return line(folder, "branch", "--show-current") if answers(folder) else ""


def is_revision_name(name: str) -> bool:
    """Return whether a name can only mean a revision: `HEAD~1`, `main@{1}`, `origin/main`."""
    return name == "HEAD" or not set("~^@/:").isdisjoint(name)


def commit_of(folder: Path, revision: str) -> str | None:
    """Return the commit that a revision names, or None for an unknown one."""
    # After --end-of-options, a revision that begins with `-` is no option.
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return (line(folder, *asked) or None) if answers(folder) else None


def tracked(folder: Path) -> list[Tracked]:
    """Return the files below the folder that are in the index, there or not."""
    return list(index_of(folder)) if answers(folder) else []


def names(folder: Path) -> list[str]:
    """Return the paths of the files below the folder that Git knows, in submodules, too."""
    if not answers(folder):
        return []
    listed = must(folder, "ls-files", "-z", "--recurse-submodules", "--", ".")
    return [os.fsdecode(path) for path in listed.split(b"\0") if path]


def files_called(folder: Path, pattern: str) -> list[str]:
    """Return the paths below the folder that match, in Git or not, there or not."""
    if not answers(folder):
        return []
    listed = must(folder, "ls-files", "-z", "--cached", "--others", "--", pattern)
    return sorted({os.fsdecode(path) for path in listed.split(b"\0") if path})


def staged(folder: Path, path: str) -> bytes:
    """Return a file's content as it is in the index, though it may not be in the work tree."""
    return must(folder, "cat-file", "blob", f":./{path}")


@contextmanager
def files_at(folder: Path, revision: str) -> Iterator[Path]:
    """Give a copy of `folder` as it was at a revision; it is gone when the block ends.

    The files come out as a checkout writes them, line ends and filters included, submodules too;
    the repository and its index are not touched.
    """
    if not answers(folder):
        raise SourceError.of("no-git", f"{folder} is in no Git repository", hint=_INSTALL)
    commit = commit_of(folder, revision)
    if commit is None:
        raise _no_revision(folder, revision)
    from clarifai_build.util.processes.scratch_folder import ScratchFolder
    from clarifai_build.util.vcs.revision_copy import RevisionCopy

    below = told(folder, "rev-parse", "--show-prefix")
    with ScratchFolder() as made:
        RevisionCopy(folder, commit, Path(made, "files")).write(below)
        yield Path(made, "files", below).resolve()


def _changes(folder: Path) -> bytes:
    # Said here, as configuration may leave them out: `status.showUntrackedFiles`, `ignore = all`.
    all_of = ("--untracked-files=normal", "--ignore-submodules=none")
    only = ("--", ".", ":(exclude)dist")
    return must(folder, *_STRICT, "status", "--porcelain", "-z", *all_of, *only)


def _has_hidden_changes(folder: Path) -> bool:
    """Compare the files that `status` was told not to look at, as far as they are there."""
    hidden = [one for one in index_of(folder) if one.hidden and (folder / one.path).is_file()]
    if not hidden:
        return False
    # hash-object reads paths from the top of the work tree.
    below = told(folder, "rev-parse", "--show-prefix")
    paths = "".join(f"{below}{one.path}\n" for one in hidden if "\n" not in one.path)
    shas = must(folder, "hash-object", "--stdin-paths", given=os.fsencode(paths))
    return shas.decode().split() != [one.sha for one in hidden]


def _no_revision(folder: Path, revision: str) -> SourceError:
    shallow = line(folder, "rev-parse", "--is-shallow-repository") == "true"
    hint = (
        "this clone is shallow: `git fetch --unshallow` (in CI: fetch-depth 0) brings all commits"
        if shallow
        else "`git log` shows what there is; `git fetch --all --tags` brings what is missing"
    )
    return SourceError.of("no-revision", f"Git knows no commit '{revision}' here", hint=hint)
