"""What Git knows of a folder, and its files as they were at another commit."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clarifai_build.errors import SourceError
from clarifai_build.util.child_environment import child_environment

_INSTALL = "install Git, and run this inside a clone of the repository"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A folder's commit, as 40 hex digits. What was built into `dist` does not make it dirty."""

    commit: str
    dirty: bool


def checkout_of(folder: Path) -> Checkout | None:
    """Return what Git says of the folder, or None outside a repository or without Git."""
    commit = _ask(folder, "rev-parse", "--verify", "HEAD")
    if not commit:
        return None
    changes = _ask(folder, "status", "--porcelain", "--", ".", ":(exclude)dist")
    return Checkout(commit, bool(changes))


def remote_of(folder: Path) -> str:
    """Return the URL of the repository's `origin`, or nothing."""
    return _ask(folder, "remote", "get-url", "origin")


def commit_of(folder: Path, revision: str) -> str | None:
    """Return the commit that a revision names, or None for an unknown one."""
    # After --end-of-options, a revision that begins with `-` is no option.
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return _ask(folder, *asked) or None


@contextmanager
def files_at(folder: Path, revision: str) -> Iterator[Path]:
    """Give a copy of `folder` as it was at a revision; it is gone when the block ends.

    The files come out as a checkout writes them, line ends and filters included; the repository
    and its index are not touched.
    """
    import tempfile

    top = _ask(folder, "rev-parse", "--show-toplevel")
    if not top:
        raise SourceError.of("no-git", f"{folder} is in no Git repository", hint=_INSTALL)
    commit = commit_of(folder, revision)
    if commit is None:
        raise _no_revision(folder, revision)
    below = folder.resolve().relative_to(Path(top).resolve()).as_posix()
    with tempfile.TemporaryDirectory(prefix="clarifai-build-") as made:
        # Without it, read-tree would overwrite the user's index.
        index = {"GIT_INDEX_FILE": str(Path(made, "index"))}
        target = Path(made, "files")
        tree = f"{commit}:{'' if below == '.' else below}"
        prefix = [] if below == "." else [f"--prefix={below}/"]
        _run(Path(top), index, "read-tree", *prefix, tree)
        _run(Path(top), index, "checkout-index", "--all", f"--prefix={target}/")
        yield (target / below).resolve()


def _no_revision(folder: Path, revision: str) -> SourceError:
    shallow = _ask(folder, "rev-parse", "--is-shallow-repository") == "true"
    hint = (
        "this clone is shallow: `git fetch --unshallow` (in CI: fetch-depth 0) brings all commits"
        if shallow
        else "`git log` shows what there is; `git fetch --all --tags` brings what is missing"
    )
    return SourceError.of("no-revision", f"Git knows no commit '{revision}' here", hint=hint)


def _ask(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=child_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _run(folder: Path, environ: Mapping[str, str], *arguments: str) -> None:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**child_environment(), **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SourceError.of("git-failed", f"git {arguments[0]} failed: {said}", hint=_INSTALL)
