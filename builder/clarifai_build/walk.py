"""The walk over the user's folder: every file that goes in, and a problem for each that can't."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from clarifai_build.ignore import IGNORE_FILE, Rules
from clarifai_build.problem import Problem, SourceError

_KINDS = {stat.S_IFSOCK: "socket", stat.S_IFIFO: "named pipe"}


class Stamp(NamedTuple):
    """What tells whether a file is still the one that was looked at."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """Take the stamp from what `stat` says."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


class Found(NamedTuple):
    """A regular file: its path below the folder, where it lies, its stamp, may it be executed."""

    path: str
    file: str
    stamp: Stamp
    executable: bool


class Left(NamedTuple):
    """What stays out, and why; a folder was not entered."""

    path: str
    file: str
    reason: str


class Walk(NamedTuple):
    """What a walk found, in no particular order."""

    files: list[Found]
    left: list[Left]


def walk(folder: Path, rules: Rules) -> Walk:
    """Find the files below `folder` that go in; all that can't be packed is raised at once."""
    walker = _Walker(os.path.realpath(folder), rules)
    walker.enter(str(folder), "", (walker.root,))
    if walker.problems:
        raise SourceError(*walker.problems)
    return Walk(walker.files, walker.left)


class _Walker:
    def __init__(self, root: str, rules: Rules) -> None:
        self.root = root
        self.reason = rules.reason
        self.files: list[Found] = []
        self.left: list[Left] = []
        self.problems: list[Problem] = []

    def enter(self, folder: str, prefix: str, way: tuple[str, ...]) -> None:
        """Look at everything in `folder`; `way` holds the real folders down to it."""
        try:
            with _opened(folder) as opened, os.scandir(opened) as items:
                for item in items:
                    path = prefix + item.name
                    try:
                        self.look(item, path, f"{folder}/{item.name}", way)
                    except FileNotFoundError:
                        self.refuse(path, "vanished", "vanished while the folder was read")
        except OSError as exc:
            path = prefix.rstrip("/") or folder
            self.refuse(path, "unreadable", f"can't be read: {exc.strerror}")

    def look(self, item: os.DirEntry[str], path: str, file: str, way: tuple[str, ...]) -> None:
        """Take a file, or do what else there is to do. Thousands pass here: the way is short."""
        if not item.is_file(follow_symlinks=False):
            self.look_closer(item, path, file, way)
        elif reason := self.reason(path, item.name, False):
            self.left.append(Left(path, file, reason))
        else:
            self.take(path, file, item.stat())

    def look_closer(
        self, item: os.DirEntry[str], path: str, file: str, way: tuple[str, ...]
    ) -> None:
        is_folder = item.is_dir()
        if reason := self.reason(path, item.name, is_folder):
            self.left.append(Left(path, file, reason))
        elif item.is_symlink():
            self.follow(item, path, file, way)
        elif is_folder:
            self.enter(file, path + "/", (*way, f"{way[-1]}/{item.name}"))
        else:
            kind = _KINDS.get(stat.S_IFMT(item.stat().st_mode), "device")
            self.refuse(path, "odd-file", f"is a {kind}, not a regular file")

    def take(self, path: str, file: str, status: os.stat_result) -> None:
        stamp = Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        self.files.append(Found(path, file, stamp, status.st_mode & stat.S_IXUSR != 0))

    def follow(self, item: os.DirEntry[str], path: str, file: str, way: tuple[str, ...]) -> None:
        target = os.path.realpath(file)
        if not Path(target).exists():
            self.refuse(path, "symlink", f"is a symbolic link to {target}, which is not there")
        elif os.path.commonpath((self.root, target)) != self.root:
            self.refuse(path, "symlink", f"is a symbolic link that leaves the folder, to {target}")
        elif target in way:
            self.refuse(path, "symlink", "is a symbolic link to a folder that it lies in")
        elif item.is_dir():
            self.enter(file, path + "/", (*way, target))
        elif item.is_file():
            self.take(path, file, item.stat())
        else:
            self.refuse(path, "symlink", f"is a symbolic link to {target}, no file and no folder")

    def refuse(self, path: str, code: str, what: str) -> None:
        hint = f"mend or remove it, or leave it out by a line in {IGNORE_FILE}"
        self.problems.append(Problem(code, f"{path} {what}", file=path, hint=hint))


@contextmanager
def _opened(folder: str) -> Iterator[int | str]:
    """Give what to list: where it can be, the open folder, so that its path is looked up once."""
    if os.scandir not in os.supports_fd:
        yield folder
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
