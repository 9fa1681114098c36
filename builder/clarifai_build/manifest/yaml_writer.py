"""Plain data as YAML text that reads back the same under YAML 1.2."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from clarifai_build.manifest.yaml_reader import core_scalar

# json.dumps leaves these as they are: it escapes only what is below U+0020.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
# Stricter than YAML: when in doubt, text is quoted.
_PLAIN = re.compile(r"[A-Za-z0-9$_./][A-Za-z0-9 ._/${}:-]*\Z")


def scalar(value: Any) -> str:
    """Write a plain value; text is quoted where it would read back as something else."""
    if not isinstance(value, str):
        return json.dumps(value)
    plain = _PLAIN.match(value) and not value.endswith((" ", ":")) and ": " not in value
    return value if plain and core_scalar(value) == value else _in_quotes(value)


def block(data: dict[str, Any], indent: str = "") -> Iterator[str]:
    """Yield the lines of a mapping; lists of plain values stand on one line."""
    for key, value in data.items():
        if isinstance(value, dict) and value:
            yield f"{indent}{scalar(key)}:"
            yield from block(value, indent + "  ")
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            yield f"{indent}{scalar(key)}:"
            for item in value:
                first, *rest = block(item, indent + "    ")
                yield f"{indent}  - {first.strip()}"
                yield from rest
        else:
            yield f"{indent}{scalar(key)}: {_flow(value)}"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return "[" + ", ".join(_quoted(item) for item in value) + "]"
    return scalar(value)


def _quoted(item: Any) -> str:
    """Write an item of a list on one line, where braces and commas mean something."""
    text = scalar(item)
    return _in_quotes(item) if set(text) & set("{}$,") else text


def _in_quotes(text: str) -> str:
    """Write text in double quotes; what YAML forbids, or takes for a line break, is escaped."""
    written = json.dumps(text, ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", written)
