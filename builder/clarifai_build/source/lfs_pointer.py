"""Pointers of Git LFS: what stands in a checkout for content that was not pulled."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from clarifai_build.errors import Problem

MAX_BYTES = 1024
"""Of a pointer, by its specification."""

_VERSION = "version https://git-lfs.github.com/spec/v1"
_LINE = re.compile(r"([a-z0-9.-]+) ([^\r\n]+)")
_OID = re.compile(r"sha256:([0-9a-f]{64})")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
# What --include takes for more than the character itself; `?` is any one of them.
_SPECIAL = re.compile(r"[][*?,\\!]")


class Pointer(NamedTuple):
    """What a pointer says of an object in LFS: its SHA-256 as hex, and its size in bytes.

    Where it is `extended`, a program makes the file of the object: the two are not the file's.
    """

    sha256: str
    size: int
    extended: bool


def parse(content: bytes) -> Pointer:
    """Read a pointer, strictly by the specification; raises ValueError, saying what is wrong."""
    if len(content) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES} bytes")
    first, *lines = content.decode().split("\n")
    if first != _VERSION or not lines or lines.pop():
        raise ValueError(f"it is not lines, each with its end, of which the first is `{_VERSION}`")
    values: dict[str, str] = {}
    for line in lines:
        if not (match := _LINE.fullmatch(line)) or match[1] in values:
            raise ValueError("a line is not one key, a space and a value")
        values[match[1]] = match[2]
    if list(values) != sorted(values):
        raise ValueError("its keys are not in order")
    oid, size = _OID.fullmatch(values.get("oid", "")), _SIZE.fullmatch(values.get("size", ""))
    if not oid:
        raise ValueError("its oid is not `sha256:` and 64 hex digits")
    if not size or int(size[0]) >= 1 << 63:
        raise ValueError("its size is not a number of bytes")
    return Pointer(oid[1], int(size[0]), any(key.startswith("ext-") for key in values))


def broken(path: str, file: str, why: str) -> Problem:
    """Return the problem of a file that begins as a pointer, and is none."""
    return Problem(
        "lfs-pointer-broken",
        f"{path} is a broken Git LFS pointer: {why}",
        file=file,
        hint="restore it (`git checkout -- FILE`), or put the file itself in its place",
    )


def pull(file: str | os.PathLike[str]) -> str:
    """Return the command that brings the content of a file, by its path in the repository."""
    import shlex

    from clarifai_build.util.vcs.process import repository_above

    place = Path(os.path.realpath(file))
    if (top := repository_above(place.parent)) is None:
        return "git lfs pull"
    path = _SPECIAL.sub("?", place.relative_to(top).as_posix())
    return f"git lfs pull --include {shlex.quote(path)}"
