"""Label lists in other forms than a label a line, which would be taken for one line by line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from clarifai_build.errors import Problem

_ITEM = re.compile(r"\s*item\s*\{")
# What follows a sign is no digit, or `1,000` and `10:30` would be numbered.
_NUMBERED = re.compile(r"\s*(\d{1,9})(?:(?P<sign>\s*[:=,\t]\s*)|\s+)(?![\d\s])\S")
_AS_LINES = "write the names alone, a line each, in the order of the model's outputs"


def form_problem(lines: Sequence[str], shown: str) -> Problem | None:
    """Return what is wrong with the form of a list: an error where a class would lose its place."""
    if form := _document(lines):
        message = f"this is {form}, not a label a line"
        return Problem("labels-form", message, shown, 1, 1, len(lines[0]), hint=_AS_LINES)
    matches = [_NUMBERED.match(line) for line in lines if line.strip()]
    found = [match for match in matches if match]
    if len(found) < 2 or len(found) < len(matches):
        return None
    in_order = [int(match[1]) for match in found] == list(range(len(found)))
    if in_order:
        hint = "remove the numbers, if they are no part of the names"
        message = "each line begins with its number, which is then a part of the label"
        return Problem("labels-form", message, shown, 1, 1, 1, hint=hint, severity="warning")
    if not all(match["sign"] for match in found):
        return None  # `1 star`, `2 stars`
    message = "each line begins with a number that is not its place, counted from 0"
    hint = f"{_AS_LINES}: what a line says of its number is not read"
    return Problem("labels-form", message, shown, 1, 1, 1, hint=hint)


def _document(lines: Sequence[str]) -> str:
    """Return what kind of file the lines are, taken together; nothing where they are labels."""
    import json

    begins = next((line.strip() for line in lines if line.strip()), "")
    if any(_ITEM.match(line) for line in lines) and any("}" in line for line in lines):
        return "a label map of TensorFlow"
    if begins[:1] not in ("{", "["):
        return ""
    try:
        read = json.loads("\n".join(lines))
    except (ValueError, RecursionError):
        return ""
    return "JSON" if isinstance(read, (dict, list)) else ""
