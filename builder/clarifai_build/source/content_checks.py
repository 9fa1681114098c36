"""Files that hardly anyone means to ship: keys and tokens, and pointers in place of content.

What a name says is judged whenever a file is packed. What a content holds is found once, when it is
read: a finding is a fact about bytes and rules, and the manifest's exemptions come after it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from clarifai_build.errors import Problem
from clarifai_build.source.source_file import SourceFile
from clarifai_build.util.token_patterns import TOKEN_PATTERNS, TokenPattern

_KEY_NAMES = ("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".htpasswd", "kaggle.json")
_KEY_ENDS = (".p12", ".pfx", ".ppk", ".jks", ".keystore", ".kdbx")
DVC = ".dvc"
_SUSPECTS = (*_KEY_NAMES, *_KEY_ENDS, DVC)

_SCAN_VERSION = 1
"""Raise it when the same rules find other things: findings are cached."""

POINTER = "a Git LFS pointer"
"""The one finding that is no secret."""


class TokenRule(NamedTuple):
    """A kind of secret in bytes: `pattern` is only sought where one of `marks` stands."""

    name: str
    marks: tuple[bytes, ...]
    pattern: bytes

    @classmethod
    def of(cls, kind: TokenPattern) -> TokenRule:
        """Return the rule by which files are looked through for a kind of token."""
        marks = tuple(mark.encode("ascii") for mark in kind.marks)
        return cls(kind.name, marks, kind.pattern.encode("ascii"))

    def is_in(self, content: bytes) -> bool:
        """Return whether a content holds such a token."""
        marked = any(mark in content for mark in self.marks)
        return marked and re.search(self.pattern, content) is not None


class ContentRules(NamedTuple):
    """What is looked for in files of at most `largest` bytes."""

    tokens: tuple[TokenRule, ...]
    pointers: tuple[bytes, ...]
    largest: int

    @property
    def digest(self) -> bytes:
        """What findings are kept with: they hold for these rules alone."""
        return hashlib.sha256(repr((_SCAN_VERSION, *self)).encode()).digest()

    def finding(self, content: bytes) -> str:
        """Return what a content is or holds that should not be shipped; nothing if it is fine."""
        if content.startswith(self.pointers):
            return POINTER
        return next((token.name for token in self.tokens if token.is_in(content)), "")


NO_RULES = ContentRules((), (), 0)
RULES = ContentRules(
    tuple(map(TokenRule.of, TOKEN_PATTERNS)),
    (b"version https://git-lfs.github.com/spec/",),
    # Bytes: keys and tokens sit in code and settings; scanning weights would find none, slowly.
    1 << 20,
)


def is_pointer(content: bytes) -> bool:
    """Return whether a content is a Git LFS pointer in the place of a file."""
    return content.startswith(RULES.pointers)


def suspicious_names(files: Iterable[SourceFile], allowed: Collection[str]) -> list[Problem]:
    """Return a problem for each file whose name is that of keys, or of data left elsewhere."""
    suspects = [file for file in files if file.path.endswith(_SUSPECTS)]
    keys = [
        _secret(file.path, file.file, "is a file of keys")
        for file in suspects
        if _is_key_file(file.path.rpartition("/")[2]) and file.path not in allowed
    ]
    return keys + [dvc_pointer(file.path, file.file) for file in suspects if is_dvc(file.path)]


def _is_key_file(name: str) -> bool:
    return name in _KEY_NAMES or name.endswith(_KEY_ENDS)


def is_dvc(path: str) -> bool:
    """Return whether a file has the name of a DVC pointer."""
    return path.endswith(DVC)


def dvc_pointer(path: str, file: str) -> Problem:
    """Return the problem of such a file."""
    hint = "run `dvc pull`, or name the weights under `weights:`"
    return Problem(
        "dvc-pointer", f"{path} stands for data that DVC has not pulled", file=file, hint=hint
    )


def content_problem(finding: str, path: str, file: str, allowed: Collection[str]) -> Problem | None:
    """Return the problem of a finding; `allowed` are paths that may hold secrets."""
    if finding == POINTER:
        hint = "run `git lfs pull`, or name the weights under `weights:`"
        message = f"{path} is a Git LFS pointer, not the file itself"
        return Problem("lfs-pointer", message, file=file, hint=hint)
    return None if path in allowed else _secret(path, file, f"holds {finding}")


def _secret(path: str, file: str, what: str) -> Problem:
    hint = (
        "take it out, leave it out by a line in .clarifaiignore, or, if it is not a secret, "
        f"name it in the manifest: `code: {{allow_secrets: [{path}]}}`"
    )
    message = f"{path} {what}, and anyone can read an artifact"
    return Problem("secret", message, file=file, hint=hint)
