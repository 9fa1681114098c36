"""Which of the user's files stay out of the artifact: safe defaults, then gitignore rules.

The last rule that speaks decides, so `!name` in `.clarifaiignore` brings back what a default leaves
out. A folder that is left out is not entered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from clarifai_build.problem import SourceError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".clarifaiignore"

_DEFAULTS = {
    "version control": (".git", ".hg", ".svn", ".gitignore", ".gitattributes", ".gitmodules"),
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
    ),
    "virtual environment": (".venv", "venv", ".conda", "node_modules"),
    "data version control": (".dvc", ".dvcignore"),
    "editor or system file": (
        ".idea",
        ".vscode",
        ".clarifai",
        "*.swp",
        "*.swo",
        "*~",
        ".#*",
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
    ),
    "credentials": (
        ".env",
        ".env.*",
        ".envrc",
        ".netrc",
        "_netrc",
        ".pypirc",
        ".npmrc",
        ".aws",
        ".ssh",
        ".gnupg",
        ".kube",
        ".docker",
        ".git-credentials",
    ),
}
_NAMES = {name: why for why, rules in _DEFAULTS.items() for name in rules if "*" not in name}
_ENDS = {r[1:]: why for why, rules in _DEFAULTS.items() for r in rules if r.startswith("*")}
_STARTS = {r[:-1]: why for why, rules in _DEFAULTS.items() for r in rules if r.endswith("*")}
_UNFINISHED = re.compile(r"\..+\.zip\.\d+-[0-9a-f]{8}")
_ALL_ENDS, _ALL_STARTS = tuple(_ENDS), tuple(_STARTS)


class Rules(NamedTuple):
    """The rules of one folder. `own` maps paths that are laid elsewhere to the reason."""

    own: dict[str, str]
    user: GitIgnoreSpec | None

    @classmethod
    def of(cls, folder: Path, exclude: Iterable[str], own: dict[str, str]) -> Rules:
        """Read the folder's `.clarifaiignore`; `exclude` comes after it."""
        lines = [*_read_lines(folder / IGNORE_FILE), *exclude]
        return cls(own, _compile(lines) if lines else None)

    def reason(self, path: str, name: str, folder: bool) -> str | None:
        """Return why `path` stays out, or None when it goes in."""
        if path in self.own:
            return self.own[path]
        if self.user is not None:
            verdict = self.user.check_file(path + "/" if folder else path)
            if verdict.include is not None:
                return f"{IGNORE_FILE} or code.exclude" if verdict.include else None
        return default_reason(name)


def default_reason(name: str) -> str | None:
    """Return why a file or folder called `name` stays out by default, or None."""
    if name in _NAMES:
        return _NAMES[name]
    if name.endswith(_ALL_ENDS):
        return next(why for end, why in _ENDS.items() if name.endswith(end))
    if name.startswith(_ALL_STARTS):
        return next(why for start, why in _STARTS.items() if name.startswith(start))
    if name.startswith(".") and _UNFINISHED.fullmatch(name):
        return "an artifact that was never finished"
    return None


def _read_lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as exc:
        raise SourceError.of("unreadable", f"{path} can't be read: {exc}", file=str(path)) from exc


def _compile(lines: list[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as exc:
        raise SourceError.of(
            "ignore-rule",
            f"A rule of {IGNORE_FILE} or code.exclude is no gitignore pattern: {exc}",
        ) from exc
