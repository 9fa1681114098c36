"""Differences between artifacts as text and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from clarifai_build.inspection.diff import FileDiff
from clarifai_build.util.text import joined, size_text

_SIGNS = {"added": "+", "removed": "-", "renamed": "~", "content": "~", "mode": "~"}


def as_text(diffs: Sequence[FileDiff], cause: Callable[[str], str] = lambda _path: "") -> str:
    """Return one block a file, and a last line that counts them; `cause` says what files are."""
    counts = {sign: sum(_SIGNS[diff.change] == sign for diff in diffs) for sign in "+~-"}
    last = f"{counts['+']} added, {counts['~']} changed, {counts['-']} removed"
    lines = (line for diff in diffs for line in _lines(diff, cause(diff.path)))
    return joined([*lines, last])


def as_json(diffs: Sequence[FileDiff]) -> list[dict[str, Any]]:
    """Return plain values for `--json`."""
    return [asdict(diff) | {"before": _file(diff, 0), "after": _file(diff, 1)} for diff in diffs]


def _lines(diff: FileDiff, cause: str) -> Iterator[str]:
    yield f"{_SIGNS[diff.change]} {diff.path}  {_what(diff)}{f' ({cause})' if cause else ''}"
    for field in diff.fields:
        before, after = (value or "none" for value in (field.before, field.after))
        yield f"    {field.field}: {before} → {after}"
    yield from (f"    {line}" for line in diff.text.expandtabs(4).splitlines())


def _what(diff: FileDiff) -> str:
    old, new = diff.before, diff.after
    if old is None or new is None:
        there = old or new
        return size_text(there.size) if there else ""
    if diff.change == "renamed":
        return f"{size_text(new.size)}, renamed from {old.path}"
    if diff.change == "mode":
        return f"mode {old.mode:04o} → {new.mode:04o}"
    if old.size == new.size:
        return f"{size_text(old.size)}, other content"
    return f"{size_text(old.size)} → {size_text(new.size)}"


def _file(diff: FileDiff, side: int) -> dict[str, Any] | None:
    file = (diff.before, diff.after)[side]
    if file is None:
        return None
    return {
        "path": file.path,
        "size": file.size,
        "mode": f"{file.mode:04o}",
        "crc32": f"{file.crc32:08x}",
    }
