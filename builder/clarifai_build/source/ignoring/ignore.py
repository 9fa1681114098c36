"""Which of the user's files stay out of the artifact: safe defaults, then gitignore rules.

The last rule that matches a path itself decides, so `!name` in `.clarifaiignore` brings back what
a default leaves out. A folder that is left out is not entered; one that is brought back is entered,
and what lies in it has to be brought back by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from clarifai_build.errors import SourceError, cannot_read
from clarifai_build.util.atomic_file import is_unfinished
from clarifai_build.util.small_files import MIB, read_small
from clarifai_build.util.tokens.file_names import LEFT_OUT

if TYPE_CHECKING:
    from clarifai_build.source.ignoring.gitignore import Verdicts

IGNORE_FILE = ".clarifaiignore"

_MAX_BYTES = MIB
_BY_RULE = f"{IGNORE_FILE} or code.exclude"
_NOTHING: Mapping[str, str] = MappingProxyType({})

_DEFAULTS = {
    "version control": (
        *(".git", ".hg", ".svn", ".jj", ".sl", ".bzr", ".pijul", "_darcs", "CVS"),
        *(".gitignore", ".gitattributes", ".gitmodules"),
    ),
    "cache": (
        "__pycache__",
        "*.pyc",
        "*.pyo",
        ".cache",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
        ".ipynb_checkpoints",
        ".tox",
        ".nox",
        ".coverage",
        "*.egg-info",
        ".eggs",
        ".pytype",
        ".pyre",
        ".terraform",
        ".terragrunt-cache",
        *(".uv-cache", ".npm", ".pnpm-store", ".yarn", ".parcel-cache", ".triton", ".nv"),
    ),
    "virtual environment": (
        ".venv",
        "venv",
        ".virtualenv",
        ".conda",
        ".pixi",
        ".direnv",
        "__pypackages__",
        "node_modules",
        *(".micromamba", ".vagrant"),
    ),
    "records of training runs": (".aim", ".neptune", ".guild"),
    "data version control": (".dvc", ".dvcignore"),
    "editor or system file": (
        ".idea",
        ".vscode",
        ".vs",
        ".ropeproject",
        ".spyproject",
        # Copies of each state that a file had, whatever was in it.
        *(".history", ".Rproj.user", ".virtual_documents"),
        ".clarifai",
        "*.swp",
        "*.swo",
        "*.swn",
        "*~",
        ".#*",
        "._*",
        ".DS_Store",
        ".AppleDouble",
        ".Spotlight-V100",
        ".Trashes",
        ".fseventsd",
        "__MACOSX",
        "Thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "Desktop.ini",
        "$RECYCLE.BIN",
        ".directory",
        ".Trash-*",
        ".nfs*",
        ".fuse_hidden*",
    ),
    "credentials": LEFT_OUT,
}
CREDENTIALS, VERSION_CONTROL = "credentials", "version control"
UNFINISHED = "an artifact that was never finished"
_REPOSITORIES = frozenset({".git", ".hg", ".svn", ".jj", ".sl", ".bzr", ".pijul", "_darcs"})
# Where git-annex, Git LFS and Mercurial keep the content of large files.
_CONTENT = re.compile(r"(?:^|/)(?:\.git/(?:.+/)?(?:annex|lfs)/objects|\.hg/largefiles)/")
# Lookups instead of one regex: this runs for every file of the folder.
_NAMES = {name: why for why, rules in _DEFAULTS.items() for name in rules if "*" not in name}
_ENDS = {r[1:]: why for why, rules in _DEFAULTS.items() for r in rules if r.startswith("*")}
_STARTS = {r[:-1]: why for why, rules in _DEFAULTS.items() for r in rules if r.endswith("*")}
_ALL_ENDS, _ALL_STARTS = tuple(_ENDS), tuple(_STARTS)


class Rules(NamedTuple):
    """The rules of one folder.

    `own` maps paths that the tool knows by themselves to the reason why they stay out; those in
    `built`, which builds wrote, stay out under other names, too.
    """

    own: Mapping[str, str]
    built: Mapping[str, str]
    user: Verdicts | None

    @classmethod
    def of(
        cls,
        folder: Path,
        exclude: Iterable[str],
        elsewhere: Mapping[str, str] = _NOTHING,
        built: Mapping[str, str] = _NOTHING,
    ) -> Rules:
        """Read the folder's `.clarifaiignore`; `exclude` comes after it."""
        file, own, excluded = folder / IGNORE_FILE, {**elsewhere, **built}, list(exclude)
        text = _read(file)
        if not text and not excluded:
            return cls(own, built, None)
        from clarifai_build.source.ignoring.ignore_compiler import compile_rules

        return cls(own, built, compile_rules(text, file, excluded))

    def reason(self, path: str, name: str, folder: bool) -> str | None:
        """Return why `path` stays out, or None when it goes in."""
        if path in self.own:
            return self.own[path]
        if self.user is not None:
            out = self.user.out(path, folder)
            if out is not None:
                return _BY_RULE if out else None
        return default_reason(name)

    def brings_back(self, path: str, folder: bool = False) -> bool:
        """Return whether a rule of the user's takes this very file or folder, whatever it is."""
        return self.user is not None and self.user.out(path, folder) is False

    def reason_of_link(
        self, path: str, name: str, folder: bool, places: Iterable[tuple[str, bool]]
    ) -> str | None:
        """Return why what a link leads to stays out, or None when it goes in.

        `places` is where it really lies, and which of these are folders. A rule that brings
        `path` back brings it back whatever lies there.
        """
        if self.brings_back(path, folder):
            return self.own.get(path)
        if reason := self.reason(path, name, folder):
            return reason
        for place, is_folder in places:
            if reason := self._reason_of_place(place, is_folder):
                return f"leads to {place}: {reason}"
        return None

    def _reason_of_place(self, place: str, folder: bool) -> str | None:
        """Return why what lies there stays out under any name.

        What is laid elsewhere may be laid under another name, too; and what a default alone leaves
        out is named by the link.
        """
        if place in self.own:
            return self.built.get(place)
        if self.user is not None and (out := self.user.out(place, folder)) is not None:
            return _BY_RULE if out else None
        name = place.rpartition("/")[2]
        return UNFINISHED if default_reason(name) == UNFINISHED else None

    def refusal_of_link(
        self, path: str, folder: bool, places: Sequence[tuple[str, bool]]
    ) -> str | None:
        """Return why a link can't be followed, though nobody asked for it to be left out."""
        if self.brings_back(path, folder):
            return None
        for place, is_folder in places:
            if place not in self.own and not self.brings_back(place, is_folder):
                reason = default_reason(place.rpartition("/")[2])
                if reason == CREDENTIALS or _is_in_repository(place, places[-1][0]):
                    return f"to {place}: {reason}"
        return None


def _is_in_repository(place: str, target: str) -> bool:
    """Return whether a link leads into what Git and its like keep for themselves."""
    return place.rpartition("/")[2] in _REPOSITORIES and not _CONTENT.search(f"{target}/")


def default_reason(name: str) -> str | None:
    """Return why a file or folder called `name` stays out by default, or None."""
    if name in _NAMES:
        return _NAMES[name]
    if name.endswith(_ALL_ENDS):
        return next(why for end, why in _ENDS.items() if name.endswith(end))
    if name.startswith(_ALL_STARTS):
        return next(why for start, why in _STARTS.items() if name.startswith(start))
    # The first test alone costs less than the regex in the second.
    if name.startswith(".") and is_unfinished(name):
        return UNFINISHED
    return None


def _read(path: Path) -> bytes:
    """Read a file of rules."""
    try:
        return read_small(path, _MAX_BYTES)
    except FileNotFoundError:
        return b""
    except OSError as exc:
        raise SourceError(cannot_read(path, exc)) from exc
