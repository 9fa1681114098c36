"""What differs between two artifacts: files, and what in them, as far as a person can read it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from clarifai_build.errors import ArtifactError, SourceError
from clarifai_build.inspection.contents import Contents, DifferenceKind, File, differences
from clarifai_build.repository_layout import CONFIG, SERVING
from clarifai_build.util.small_files import parse_json

# Bytes: difflib's time grows with the square of the number of lines.
_LARGEST_TEXT = 64 << 10
# What a person reads of one file; the rest is counted.
_MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value of a configuration; None where it is absent."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file that differs. `text` is a unified diff; `fields` stand in place of it.

    A renamed file has its old name in `before`.
    """

    path: str
    change: DifferenceKind | Literal["renamed"]
    before: File | None
    after: File | None
    text: str = ""
    fields: tuple[FieldChange, ...] = ()


def compare(before: Contents, after: Contents) -> tuple[FileDiff, ...]:
    """Return the files that differ, by path."""
    return _with_renames(
        [
            explain(one.path, before, after) if one.change == "content" else FileDiff(*one)
            for one in differences(before.files, after.files)
        ]
    )


def packed_otherwise(before: Contents, after: Contents) -> tuple[str, ...]:
    """Return the files whose content is the same, compressed into other bytes."""
    both = before.packed.keys() & after.packed.keys()
    return tuple(
        path
        for path in sorted(both)
        if before.packed[path] != after.packed[path] and before.files[path] == after.files[path]
    )


def explain(path: str, before: Contents, after: Contents) -> FileDiff:
    """Say what differs in the content of one file that both have."""
    old, new = before.files[path], after.files[path]
    if max(old.size, new.size) > _LARGEST_TEXT:
        return FileDiff(path, "content", old, new)
    try:
        contents = (before.read(path), after.read(path))
    except (ArtifactError, SourceError):
        # Damaged, or not on this machine: that it differs is all there is to say.
        return FileDiff(path, "content", old, new)
    if path in _FIELDS and (fields := _field_changes(_FIELDS[path], *contents)):
        return FileDiff(path, "content", old, new, fields=fields)
    return FileDiff(path, "content", old, new, text=_text_diff(path, *contents))


def _with_renames(diffs: list[FileDiff]) -> tuple[FileDiff, ...]:
    """Join a removed and an added file of the same content into one that was renamed."""
    removed: dict[tuple[int, int], list[FileDiff]] = {}
    for one in diffs:
        # Empty files are all alike: none is taken for another renamed.
        if one.change == "removed" and one.before and one.before.size:
            removed.setdefault((one.before.size, one.before.crc32), []).append(one)
    joined: dict[str, FileDiff] = {one.path: one for one in diffs}
    for one in diffs:
        same = removed.get((one.after.size, one.after.crc32)) if one.after else None
        if one.change == "added" and same:
            old = same.pop(0)
            del joined[old.path]
            joined[one.path] = FileDiff(one.path, "renamed", old.before, one.after)
    return tuple(joined.values())


def _text_diff(path: str, before: bytes, after: bytes) -> str:
    """Return a unified diff, or nothing where a file is not text."""
    try:
        old, new = before.decode().splitlines(), after.decode().splitlines()
    except UnicodeDecodeError:
        return ""
    # Binary content may happen to be UTF-8.
    if b"\0" in before + after:
        return ""
    lines = list(difflib.unified_diff(old, new, path, path, lineterm=""))
    cut = len(lines) - _MOST_LINES
    return "\n".join([*lines[:_MOST_LINES], *([f"… {cut} more lines"] if cut > 0 else [])])


def _field_changes(parse: Any, before: bytes, after: bytes) -> tuple[FieldChange, ...]:
    """Compare two configurations by field; nothing where one can't be read as such."""
    try:
        old, new = dict(_flat(parse(before), "")), dict(_flat(parse(after), ""))
    except (ValueError, RecursionError):
        return ()
    return tuple(
        FieldChange(name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            # By name: a tensor that is inserted would else change all that follow.
            named = item.get("name", index) if isinstance(item, Mapping) else index
            yield from _flat(item, f"{name}[{named}]")
    else:
        yield name, json.dumps(value, ensure_ascii=False)


def _parse_config(content: bytes) -> Any:
    from google.protobuf import text_format
    from google.protobuf.json_format import MessageToDict

    from clarifai_build.targets.triton.model_config import model_config_pb2

    try:
        config = text_format.Parse(content.decode(), model_config_pb2().ModelConfig())
    except text_format.ParseError as error:
        raise ValueError(str(error)) from error
    return MessageToDict(config, preserving_proto_field_name=True)


_FIELDS = {CONFIG: _parse_config, SERVING: parse_json}
