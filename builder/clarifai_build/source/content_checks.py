"""Files that hardly anyone means to ship: keys and tokens, and pointers in place of content."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from clarifai_build.errors import Problem
from clarifai_build.source.source_file import SourceFile

_KEY_NAMES = ("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".htpasswd", "kaggle.json")
_KEY_ENDS = (".p12", ".pfx", ".ppk", ".jks", ".keystore", ".kdbx")
_MAY_BE_KEYS = _KEY_NAMES + _KEY_ENDS
_TOKENS = {
    "a private key": (b"PRIVATE KEY-----", rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an AWS access key": (b"AKIA", rb"(?<![0-9A-Za-z])AKIA[0-9A-Z]{16}(?![0-9A-Za-z])"),
    "a GitHub token": (b"gh", rb"(?<![0-9A-Za-z])(?:gh[pousr]_\w{36}|github_pat_\w{60,})"),
    "a GitLab token": (b"glpat-", rb"glpat-[\w-]{20}"),
    "a Hugging Face token": (b"hf_", rb"(?<![0-9A-Za-z])hf_[A-Za-z0-9]{30,}"),
    "a Slack token": (b"xox", rb"xox[abprs]-[0-9A-Za-z-]{20,}"),
    "a Google API key": (b"AIza", rb"(?<![0-9A-Za-z])AIza[\w-]{35}(?![\w-])"),
    "a Clarifai token": (b"CLARIFAI_", rb"CLARIFAI_(?:PAT|SESSION_TOKEN)\W{1,5}[0-9a-f]{32}"),
}
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def key_files(files: Iterable[SourceFile], allowed: Collection[str]) -> list[Problem]:
    """Return a problem for each file that has the name of a key file and is not allowed."""
    suspects = [file for file in files if file.path.endswith(_MAY_BE_KEYS)]
    return [
        _secret(file, "is a file of keys")
        for file in suspects
        if _is_key_file(file.path.rpartition("/")[2]) and file.path not in allowed
    ]


def _is_key_file(name: str) -> bool:
    return name in _KEY_NAMES or name.endswith(_KEY_ENDS)


def is_pointer(content: bytes) -> bool:
    """Say whether a content is what Git LFS leaves in the place of a file."""
    return content.startswith(_LFS_POINTER)


def scan(file: SourceFile, content: bytes) -> Problem | None:
    """Return what is wrong with shipping a file, judging by its content (if that is small)."""
    if is_pointer(content):
        hint = "run `git lfs pull`, or name the weights under `weights:`"
        return _problem("lfs-pointer", file, "is a Git LFS pointer, not the file itself", hint)
    if file.path.endswith(".dvc"):
        hint = "run `dvc pull`, or name the weights under `weights:`"
        return _problem("dvc-pointer", file, "stands for data that DVC has not pulled", hint)
    for what, (mark, token) in _TOKENS.items():
        if mark in content and re.search(token, content):
            return _secret(file, f"holds {what}")
    return None


def _secret(file: SourceFile, what: str) -> Problem:
    hint = (
        "take it out, leave it out by a line in .clarifaiignore, or, if it is no secret, "
        f"name it in the manifest: `code: {{allow_secrets: [{file.path}]}}`"
    )
    return _problem("secret", file, f"{what}, and artifacts can be read by strangers", hint)


def _problem(code: str, file: SourceFile, what: str, hint: str) -> Problem:
    return Problem(code, f"{file.path} {what}", file=file.file, hint=hint)
