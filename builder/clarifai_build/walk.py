"""The walk over the user's folder: every file that goes in, and a problem for each that can't."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from clarifai_build.ignore import Rules
from clarifai_build.problem import Problem, SourceError


class Stamp(NamedTuple):
    """What tells whether a file is still the one that was looked at."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


class Found(NamedTuple):
    """A regular file: its path below the folder, where it lies, its stamp, may it be executed."""

    path: str
    file: str
    stamp: Stamp
    executable: bool


class Left(NamedTuple):
    """What stays out, and why. `folder` ones were not entered."""

    path: str
    file: str
    reason: str
    folder: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk found, in no particular order."""

    files: list[Found] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)


def walk(folder: Path, rules: Rules) -> Walk:
    """Find the files below `folder` that go in; all that can't be packed is raised at once."""
    walker = _Walker(os.path.realpath(folder), rules)
    walker.enter(str(folder), "", (walker.root,))
    if walker.problems:
        raise SourceError(*walker.problems)
    return walker.walk


class _Walker:
    def __init__(self, root: str, rules: Rules) -> None:
        self.root = root
        self.rules = rules
        self.walk = Walk()
        self.problems: list[Problem] = []

    def enter(self, folder: str, prefix: str, above: tuple[str, ...]) -> None:
        """Look at everything in `folder`; `above` are the real folders on the way to it."""
        try:
            with os.scandir(folder) as found:
                for item in found:
                    self.look(item, prefix, above)
        except OSError as exc:
            self.refuse(
                prefix.rstrip("/") or folder, "unreadable", f"can't be read: {exc.strerror}"
            )

    def look(self, item: os.DirEntry[str], prefix: str, above: tuple[str, ...]) -> None:
        path = prefix + item.name
        try:
            is_folder = item.is_dir()
            reason = self.rules.reason(path, item.name, folder=is_folder)
            if reason is not None:
                self.walk.left.append(Left(path, item.path, reason, is_folder))
            elif item.is_symlink() and not self.may_follow(item, path, above):
                return
            elif is_folder:
                self.enter(item.path, path + "/", (*above, os.path.realpath(item.path)))
            else:
                self.take(item, path)
        except OSError as exc:
            self.refuse(path, *_meaning(exc))

    def take(self, item: os.DirEntry[str], path: str) -> None:
        status = item.stat()
        if stat.S_ISREG(status.st_mode):
            executable = bool(status.st_mode & stat.S_IXUSR)
            self.walk.files.append(Found(path, item.path, Stamp.of(status), executable))
        else:
            self.refuse(path, "odd-file", f"is a {_kind(status.st_mode)}, not a regular file")

    def may_follow(self, item: os.DirEntry[str], path: str, above: tuple[str, ...]) -> bool:
        target = os.path.realpath(item.path)
        if not Path(target).exists():
            self.refuse(path, "symlink", f"is a symbolic link to {target}, which is not there")
        elif os.path.commonpath((self.root, target)) != self.root:
            self.refuse(path, "symlink", f"is a symbolic link that leaves the folder, to {target}")
        elif target in above:
            self.refuse(path, "symlink", "is a symbolic link to a folder that it lies in")
        else:
            return True
        return False

    def refuse(self, path: str, code: str, what: str) -> None:
        hint = "Mend or remove it, or leave it out by a line in .clarifaiignore."
        self.problems.append(Problem(code, f"{path} {what}.", file=path, hint=hint))


def _meaning(exc: OSError) -> tuple[str, str]:
    if isinstance(exc, FileNotFoundError):
        return "vanished", "vanished while the folder was read"
    return "unreadable", f"can't be read: {exc.strerror}"


def _kind(mode: int) -> str:
    kinds: Iterator[tuple[bool, str]] = iter(
        (
            (stat.S_ISSOCK(mode), "socket"),
            (stat.S_ISFIFO(mode), "named pipe"),
            (stat.S_ISBLK(mode) or stat.S_ISCHR(mode), "device"),
        )
    )
    return next((name for applies, name in kinds if applies), "special file")
