"""The walk over the user's folder: every file that goes in, and a problem for each that can't."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from clarifai_build.errors import Problem
from clarifai_build.source.ignoring.ignore import IGNORE_FILE, Rules
from clarifai_build.source.recognised.folders import MARKS, RUNS, parts_of
from clarifai_build.source.source_file import FileStat, SourceFile
from clarifai_build.source.symlinks import Link

MOST_NAMES = 32
"""How many names links may give a folder: pairs of links in a chain double it at every step."""

_KINDS = {stat.S_IFSOCK: "socket", stat.S_IFIFO: "named pipe"}
# Characters. Shorter, and with a name of 255, an ASCII path fits macOS (1024) and Linux (4096).
_LONG = 512
_TOO_MANY = f"is one name more of the folder {{}}, which links lead to by {MOST_NAMES} already"


class ExcludedFile(NamedTuple):
    """What stays out, and why; a folder was not entered."""

    path: str
    file: str
    reason: str


class WalkResult(NamedTuple):
    """What a walk found, in no particular order. `empty` are folders that hold nothing at all."""

    files: list[SourceFile]
    left: list[ExcludedFile]
    problems: list[Problem]
    empty: Sequence[str] = ()


class _Folder(NamedTuple):
    """A folder to be entered: where it is opened, and its path below the root, up to its last `/`.

    `place` is like `path`, but without symbolic links; `crossed` are the places of the links that
    were followed on the way.
    """

    file: str
    path: str
    place: str
    crossed: tuple[str, ...]


def walk(folder: Path, rules: Rules) -> WalkResult:
    """Find the files below `folder` that go in, and what can't be packed."""
    walker = _Walker(str(folder), rules)
    walker.run()
    return WalkResult(walker.files, walker.left, walker.problems, walker.empty)


class _Walker:
    def __init__(self, folder: str, rules: Rules) -> None:
        self.folder = folder
        self.rules, self.reason = rules, rules.reason
        self.files: list[SourceFile] = []
        self.left: list[ExcludedFile] = []
        self.problems: list[Problem] = []
        self.empty: list[str] = []
        self.waiting = [_Folder(folder, "", "", ())]
        self.names: dict[str, int] = {}

    @cached_property
    def root(self) -> str:
        """The real path of the folder, which only links need."""
        return os.path.realpath(self.folder)

    def run(self) -> None:
        """Enter one folder after the other, so that depth costs neither stack nor open files."""
        while self.waiting:
            folder = self.waiting.pop()
            before = len(self.files)
            self.enter(folder)
            if len(folder.file) > _LONG:
                self.refuse_unreachable(before)

    def enter(self, folder: _Folder) -> None:
        """Look at everything in `folder`."""
        prefix, base = folder.path, folder.file + "/"
        look = self.look_through_link if folder.crossed else self.look
        found, marked = self.found(), _own_name(prefix) in RUNS
        item: os.DirEntry[str] | None = None
        try:
            with _opened(folder.file) as opened, os.scandir(opened) as items:
                for item in items:
                    path = prefix + item.name
                    marked = marked or item.name in MARKS
                    try:
                        look(item, path, base + item.name, folder)
                    except FileNotFoundError:
                        self.refuse(path, "vanished", "vanished while the folder was read")
            if item is None:
                self.empty.append(prefix.rstrip("/"))
            if marked:
                self.recognise(folder, found)
            elif item is None and prefix:
                self.left.append(ExcludedFile(prefix[:-1], folder.file, "an empty folder"))
        except OSError as exc:
            path = prefix.rstrip("/") or folder.file
            if isinstance(exc, FileNotFoundError):
                self.refuse(path, "vanished", "vanished before it was read")
            else:
                self.refuse(path, "unreadable", f"can't be read: {exc.strerror}")

    def found(self) -> tuple[int, int, int, int]:
        """Return how much was found so far."""
        return len(self.files), len(self.left), len(self.problems), len(self.waiting)

    def recognise(self, folder: _Folder, before: tuple[int, int, int, int]) -> None:
        """Leave out a folder, or what of it, that another tool made; take back what was found."""
        path = folder.path[:-1]
        if path and self.rules.brings_back(path, True):
            return
        if not (known := parts_of(folder.file, _own_name(folder.path), not path)):
            return
        reason, parts = known
        out = tuple(f"{folder.path}{name}" for name in parts) if parts is not None else (path,)
        out = tuple(each for each in out if not self.rules.brings_back(each, True))
        self.forget(out, before)
        for each in out:
            file = folder.file + each[len(path) :] if path else f"{folder.file}/{each}"
            self.left.append(ExcludedFile(each, file, reason))

    def forget(self, out: tuple[str, ...], before: tuple[int, int, int, int]) -> None:
        """Drop what was found since `before` at these paths and below them."""
        below = tuple(f"{path}/" for path in out)

        def stays(path: str) -> bool:
            return not f"{path.rstrip('/')}/".startswith(below)

        files, left, problems, waiting = before
        self.files[files:] = [one for one in self.files[files:] if stays(one.path)]
        self.left[left:] = [one for one in self.left[left:] if stays(one.path)]
        self.problems[problems:] = [o for o in self.problems[problems:] if stays(o.file or "")]
        self.waiting[waiting:] = [one for one in self.waiting[waiting:] if stays(one.path)]

    def look(self, item: os.DirEntry[str], path: str, file: str, folder: _Folder) -> None:
        """Handle one directory entry. Hot path."""
        if not item.is_file(follow_symlinks=False):
            if item.is_symlink():
                self.follow(path, file, folder)
            elif reason := self.reason(path, item.name, item.is_dir()):
                self.left.append(ExcludedFile(path, file, reason))
            else:
                self.go_on(item, path, file, folder)
        elif reason := self.reason(path, item.name, False):
            self.left.append(ExcludedFile(path, file, reason))
        else:
            self.take(path, file, item.stat())

    def look_through_link(
        self, item: os.DirEntry[str], path: str, file: str, folder: _Folder
    ) -> None:
        """Look at what lies in a folder that a link led to, or below one."""
        is_folder = item.is_dir(follow_symlinks=False)
        places = [(folder.place + item.name, is_folder)]
        if item.is_symlink():
            self.follow(path, file, folder)
        elif reason := self.rules.reason_of_link(path, item.name, is_folder, places):
            self.left.append(ExcludedFile(path, file, reason))
        elif item.is_file(follow_symlinks=False):
            self.take(path, file, item.stat())
        else:
            self.go_on(item, path, file, folder)

    def go_on(self, item: os.DirEntry[str], path: str, file: str, folder: _Folder) -> None:
        if item.is_dir(follow_symlinks=False):
            place = f"{folder.place}{item.name}/"
            self.wait_for(_Folder(file, path + "/", place, folder.crossed))
        else:
            kind = _KINDS.get(stat.S_IFMT(item.stat().st_mode), "device")
            self.refuse(path, "odd-file", f"is a {kind}, not a regular file")

    def take(self, path: str, file: str, status: os.stat_result) -> None:
        # FileStat.of, written out: this runs for every file.
        stamp = FileStat(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        self.files.append(SourceFile(path, file, stamp, status.st_mode & stat.S_IXUSR != 0))

    def follow(self, path: str, file: str, folder: _Folder) -> None:
        """Leave out, refuse, enter or take what a symbolic link leads to."""
        link = Link.of(file, self.root)
        name = path[len(folder.path) :]
        places = [(folder.place + name, link.is_folder)] if folder.crossed else []
        places += link.places
        if reason := self.rules.reason_of_link(path, name, link.is_folder, places):
            self.left.append(ExcludedFile(path, file, reason))
        elif refusal := self.rules.refusal_of_link(path, link.is_folder, places):
            self.refuse(path, "symlink", f"is a symbolic link {refusal}")
        elif trouble := link.trouble((*folder.crossed, folder.place)):
            self.refuse(path, "symlink", f"is a symbolic link {trouble}", link.way_out)
        elif link.is_folder:
            crossed = (*folder.crossed, folder.place)
            self.wait_for(_Folder(file, path + "/", f"{link.place}/", crossed))
        elif link.status is not None:
            self.take(path, file, link.status)

    def wait_for(self, folder: _Folder) -> None:
        """Enter a folder later, unless links lead to it by too many names (MOST_NAMES)."""
        if folder.crossed:
            names = self.names[folder.place] = self.names.get(folder.place, 0) + 1
            if names > MOST_NAMES:
                # One problem a folder, not one for each further link.
                if names == MOST_NAMES + 1:
                    self.refuse(folder.path[:-1], "symlink", _TOO_MANY.format(folder.place[:-1]))
                return
        self.waiting.append(folder)

    def refuse_unreachable(self, before: int) -> None:
        """Refuse files whose path is too long to be opened, though their folder was."""
        for found in self.files[before:]:
            if not os.access(found.file, os.F_OK):
                self.refuse(found.path, "unreadable", "can't be read: its path is too long")

    def refuse(self, path: str, code: str, what: str, way_out: str | None = None) -> None:
        first = way_out.format(path) if way_out else "fix or remove it"
        hint = f"{first}, or leave it out by a line in {IGNORE_FILE}"
        self.problems.append(Problem(code, f"{path} {what}", file=path, hint=hint))


def _own_name(path: str) -> str:
    """Return the last name of a folder's path, which ends in `/`; nothing of the root's."""
    return path[:-1].rpartition("/")[2]


@contextmanager
def _opened(folder: str) -> Iterator[int | str]:
    """Give a folder to list: open where the system can list those, so its path is resolved once."""
    if os.scandir not in os.supports_fd:
        yield folder
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
