"""Finds the manifests that a command line means, and what looks like one and is passed over."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from clarifai_build.errors import Problem, UsageError
from clarifai_build.manifest.resemblance import is_called_like_one, looks_like_one
from clarifai_build.manifest.types import FILE_NAME

# What package managers and builds fill: few manifests in there are the user's own.
SKIPPED = frozenset({"node_modules", "__pycache__", "venv", "dist", "build"})

_RENAMED = f"manifests are called {FILE_NAME} or NAME.{FILE_NAME}"
_LINKED = "symbolic links to folders are not followed"
# Levels below a link: it may lead to the data of a whole machine.
_LINK_DEPTH = 2
_FILE = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,9}$|/annex/objects/")


class Found(NamedTuple):
    """The manifests that paths mean; a warning for each file or folder that may be or hold another
    one; the folders that were searched."""

    manifests: list[Path]
    passed_over: list[Problem]
    folders: list[Path]


def find_manifests(paths: Iterable[Path]) -> list[Path]:
    """Return the files as they are, and for each folder the manifests in it, sorted.

    A path that is not there and has wildcards (`*`, `?`, `[…]`, `**`) stands for what it matches.
    """
    return search(paths).manifests


def search(paths: Iterable[Path]) -> Found:
    """Find manifests as `find_manifests` does, and say what is passed over."""
    found: dict[Path, None] = {}
    looked: list[_Search] = []
    for path in paths:
        searches = [_Search(match) for match in _matches(path)]
        if not any(search.manifests for search in searches):
            raise _nothing_at(path, searches)
        found.update(dict.fromkeys(file for search in searches for file in search.manifests))
        looked += searches
    problems = [one for search in looked for one in search.passed_over]
    known = {os.path.realpath(file) for file in found if problems}
    unknown = [one for one in problems if os.path.realpath(one.file or "") not in known]
    folders = [search.path for search in looked if search.path not in search.manifests]
    return Found(list(found), list(dict.fromkeys(unknown)), folders)


def is_manifest(name: str) -> bool:
    """Return whether a file of this name is taken for a manifest when a folder is searched."""
    return name == FILE_NAME or name.endswith(f".{FILE_NAME}")


def passed_over(file: str, what: str, why: str, hint: str) -> Problem:
    """Return the warning about a file or a folder."""
    message = f"{file} {what}: {why}"
    return Problem("manifest-passed-over", message, file, hint=hint, severity="warning")


def _nothing_at(path: Path, searches: Iterable[_Search]) -> UsageError:
    hint = "name a manifest or its folder; `clarifai-build init` writes one"
    seen = [one for search in searches for one in search.passed_over]
    message = f"no {FILE_NAME} at '{path}'"
    return UsageError(Problem("no-manifest", message, hint=hint), *seen)


def _matches(path: Path) -> list[Path]:
    # Unlike Path.exists, this is False without access, too: the error comes when it is read.
    # A path that exists is no pattern: a folder may be called `[old]`.
    if os.path.exists(path) or not glob.has_magic(str(path)):  # noqa: PTH110 - as said
        return [path]
    matches = glob.glob(str(path), recursive=True)  # noqa: PTH207 - `path` may be absolute
    return [Path(match) for match in sorted(matches)]


class _Search:
    """What a path means: a file itself, a folder what lies in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifests: list[Path] = []
        self.passed_over: list[Problem] = []
        self._entered: set[tuple[int, int]] = set()
        self._links: list[str] = []
        if not os.path.isdir(path):  # noqa: PTH112 - unlike Path.is_dir, False without access
            self.manifests.append(path)
            return
        self._below(str(path))
        # Last, as most links lead to what was searched.
        for link in self._links:
            self._below(link, _LINKED, _LINK_DEPTH)

    def _below(self, folder: str, why: str = "", depth: int = -1) -> None:
        """Search a folder; with `why`, manifests in it do not count, and are only named."""
        waiting = [(folder, why, depth)]
        while waiting:
            folder, why, depth = waiting.pop()
            inner = self._enter(folder, why) if depth else []
            waiting += [(place, because, depth - 1) for place, because in reversed(inner)]

    def _enter(self, folder: str, why: str) -> list[tuple[str, str]]:
        """Look at the files of a folder, and return the folders in it."""
        try:
            status = os.stat(folder)  # noqa: PTH116 - text: thousands of them
            with os.scandir(folder) as items:
                entries = sorted(items, key=lambda item: item.name)
        except OSError as exc:
            self._unreadable(folder, why, exc)
            return []
        place = (status.st_dev, status.st_ino)
        # An installed environment is full of files, and none of them is the user's.
        if place in self._entered or (why and any(one.name == "pyvenv.cfg" for one in entries)):
            return []
        self._entered.add(place)
        folders = []
        for one in entries:
            if not one.is_dir(follow_symlinks=False):
                self._file(one, why)
            elif one.name != ".git":
                folders.append((one.path, why or _unsearched(one.name)))
        return folders

    def _file(self, item: os.DirEntry[str], why: str) -> None:
        if is_manifest(item.name) and not why:
            self.manifests.append(Path(item.path))
        elif item.is_symlink() and os.path.isdir(item.path):  # noqa: PTH112 - False for a circle
            self._links.append(item.path)
        elif item.is_symlink() and not os.path.exists(item.path):  # noqa: PTH110 - as above
            self._broken(item, why)
        elif looks_like_one(item.path, by_content=not why):
            hint = "move it, or name it on the command line" if why else "rename it, or name it"
            self._add(item.path, "looks like a manifest, and is passed over", why or _RENAMED, hint)

    def _broken(self, item: os.DirEntry[str], why: str) -> None:
        target = os.readlink(item.path)  # noqa: PTH115 - text
        may_be_folder = not (why or _FILE.search(item.name) or _FILE.search(target))
        if may_be_folder or is_called_like_one(item.name):
            what, hint = "may be or hold a manifest", "bring what it leads to, or remove it"
            self._add(item.path, what, f"it is a symbolic link to {target}, not there", hint)

    def _unreadable(self, folder: str, why: str, exc: OSError) -> None:
        if not why:
            raise UsageError.of(
                "unreadable-file",
                f"the folder {folder} can't be searched for manifests: {exc.strerror}",
                hint="fix its permissions, or name the manifests",
            ) from exc
        self._add(folder, "may hold manifests", f"it can't be read ({exc.strerror})", "fix that")

    def _add(self, path: str, what: str, why: str, hint: str) -> None:
        self.passed_over.append(passed_over(os.path.normpath(path), what, why, hint))


def _unsearched(name: str) -> str:
    """Return why a folder of this name is not searched; empty where it is."""
    if name.startswith("."):
        return f"hidden folders like '{name}' are not searched"
    return f"folders called '{name}' are not searched" if name in SKIPPED else ""
