"""Files that hardly anyone means to ship: keys and tokens, and pointers in place of content.

What a name says is judged whenever a file is packed. What a content holds is found once, when it is
read: a finding is a fact about bytes and rules, and the manifest's exemptions come after it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import NamedTuple

from clarifai_build.errors import Problem
from clarifai_build.source.source_file import SourceFile
from clarifai_build.util.tokens.file_names import kind_of_name
from clarifai_build.util.tokens.patterns import TOKEN_PATTERNS
from clarifai_build.util.tokens.readings import readings
from clarifai_build.util.tokens.search import TokenSearch
from clarifai_build.util.tokens.secrets_in_addresses import PASSWORD_IN_URL
from clarifai_build.util.tokens.token_pattern import TokenPattern

DVC = ".dvc"

_SCAN_VERSION = 2
"""Raise it when the same rules find other things: findings are cached."""

POINTER = "a Git LFS pointer"
"""The one finding that is no secret."""

_AS_WEIGHT = "name the weights under `weights:`, and leave it out by a line in .clarifaiignore"


class _Rules(NamedTuple):
    tokens: tuple[TokenPattern, ...]
    pointers: tuple[bytes, ...]
    largest: int


class ContentRules(_Rules):
    """What is looked for in files of at most `largest` bytes."""

    @cached_property
    def search(self) -> TokenSearch:
        """What seeks the tokens: it takes as long to make as to search a small file."""
        return TokenSearch(self.tokens)

    @property
    def digest(self) -> bytes:
        """What findings are kept with: they hold for these rules alone."""
        import hashlib

        return hashlib.sha256(repr((_SCAN_VERSION, *self)).encode()).digest()

    def finding(self, content: bytes) -> str:
        """Return what a content is or holds that should not be shipped; nothing if it is fine."""
        if content.startswith(self.pointers):
            return POINTER
        if not self.tokens:
            return ""
        return next(filter(None, map(self.search.first, readings(content))), "")


NO_RULES = ContentRules((), (), 0)
RULES = ContentRules(
    TOKEN_PATTERNS,
    (b"version https://git-lfs.github.com/spec/",),
    # Bytes: keys and tokens sit in code, settings and notebooks with their pictures; scanning
    # weights would find none, slowly.
    4 << 20,
)


def is_pointer(content: bytes) -> bool:
    """Return whether a content is a Git LFS pointer in the place of a file."""
    return content.startswith(RULES.pointers)


def suspicious_names(files: Sequence[SourceFile], allowed: Collection[str]) -> list[Problem]:
    """Return a problem for each file whose name is that of keys, or of data left elsewhere."""
    keys = [
        _secret(file.path, file.file, f"has the name of {what}")
        for file in files
        if (what := kind_of_name(file.path)) and file.path not in allowed
    ]
    return keys + [dvc_pointer(file.path, file.file) for file in files if is_dvc(file.path)]


def is_dvc(path: str) -> bool:
    """Return whether a file has the name of a DVC pointer."""
    return path.endswith(DVC)


def dvc_pointer(path: str, file: str) -> Problem:
    """Return the problem of such a file."""
    hint = f"run `dvc pull`, or {_AS_WEIGHT}"
    return Problem(
        "dvc-pointer", f"{path} stands for data that DVC has not pulled", file=file, hint=hint
    )


def content_problem(finding: str, path: str, file: str, allowed: Collection[str]) -> Problem | None:
    """Return the problem of a finding; `allowed` are paths that may hold secrets."""
    if finding == POINTER:
        from clarifai_build.source.lfs_pointer import pull

        hint = f"run `{pull(file)}`, or {_AS_WEIGHT}"
        message = f"{path} is a Git LFS pointer, not the file itself"
        return Problem("lfs-pointer", message, file=file, hint=hint)
    return None if path in allowed else _secret(path, file, f"holds {finding}")


def _secret(path: str, file: str, what: str) -> Problem:
    hint = (
        "take it out, leave it out by a line in .clarifaiignore, or, if it is not a secret, "
        f"name it in the manifest: `code: {{allow_secrets: [{path}]}}`"
    )
    if what.endswith(PASSWORD_IN_URL):
        hint = (
            "in code, write ${NAME} in its place, and set NAME where it is used; in requirements, "
            f"name a place that anyone can read; or {hint}"
        )
    message = f"{path} {what}, and anyone can read an artifact"
    return Problem("secret", message, file=file, hint=hint)
