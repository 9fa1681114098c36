"""Plain data as YAML text that reads back the same under YAML 1.2."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from clarifai_build.manifest.yaml_reader import core_scalar
from clarifai_build.util.text import printable

# json.dumps leaves these as they are: it escapes only what is below U+0020.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
# Stricter than YAML: when in doubt, text is quoted.
_PLAIN = re.compile(r"[A-Za-z0-9$_./][A-Za-z0-9 ._/${}:-]*\Z")
# YAML looks for the colon after a key within 1,024 characters; an escape may take 12 of them.
_SHORT_KEY = 80
_COMMENT = 500


def comment(text: str) -> str:
    """Write any text as one comment line; what would end the line is escaped."""
    shown = text if len(text) <= _COMMENT else f"{text[:_COMMENT]}…"
    # A byte order mark is no control character, but YAML allows it only at the beginning.
    return f"# {printable(shown)}".replace("\ufeff", "\\ufeff")


def scalar(value: Any) -> str:
    """Write a plain value; text is quoted where it would read back as something else."""
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' * (value < 0)}.inf"
    if not isinstance(value, str):
        return json.dumps(value)
    plain = _PLAIN.match(value) and not value.endswith((" ", ":")) and ": " not in value
    return value if plain and core_scalar(value) == value else _in_quotes(value)


def block(data: dict[str, Any], indent: str = "") -> Iterator[str]:
    """Yield the lines of a mapping; lists of plain values stand on one line."""
    for key, value in data.items():
        head = f"{indent}{scalar(key)}:"
        if len(key) > _SHORT_KEY:
            yield f"{indent}? {scalar(key)}"
            head = f"{indent}:"
        if isinstance(value, dict) and value:
            yield head
            yield from block(value, indent + "  ")
        elif isinstance(value, list) and value and all(map(_is_mapping, value)):
            yield head
            for item in value:
                first, *rest = block(item, indent + "    ")
                yield f"{indent}  - {first.lstrip(' ')}"
                yield from rest
        else:
            yield f"{head} {_flow(value)}"


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict) and bool(value)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"? {_in_quotes(key)} : {_quoted(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_quoted, value)) + "]"
    return scalar(value)


def _quoted(item: Any) -> str:
    """Write an item of a list on one line, where braces and commas mean something."""
    if isinstance(item, (dict, list)):
        return _flow(item)
    text = scalar(item)
    return _in_quotes(item) if isinstance(item, str) and set(text) & set("{}$,") else text


def _in_quotes(text: str) -> str:
    """Write text in double quotes; what YAML forbids, or takes for a line break, is escaped."""
    written = json.dumps(text, ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", written)
