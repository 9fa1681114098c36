"""How problems with a document are put into words."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from clarifai_build.manifest.yaml_reader import Steps, Value, core_scalar
from clarifai_build.util.redaction import message_of

_KINDS = {
    "string": "a string",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "a mapping",
}
_LIMITS = {
    "minimum": "has to be at least {}, not {}",
    "maximum": "has to be at most {}, not {}",
    "minLength": "can't be empty",
    "minItems": "needs at least {} {}, and has {}",
    "maxItems": "can have at most {} {}, and has {}",
}
# Of a value in a message.
_WIDTH = 60
# YAML 1.1's booleans, which are strings in YAML 1.2.
_YES_NO = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def dotted(path: Steps) -> str:
    """Write a path as people do: `params[0].name`."""
    text = ""
    for step in path:
        name = cut(step) if isinstance(step, str) else f"[{step}]"
        text += f".{name}" if text and isinstance(step, str) else name
    return f"'{text}'" if text else "the manifest"


def format_value(value: Value) -> str:
    """Write a value as it could stand in YAML, shortened."""
    if isinstance(value, str):
        safe = message_of(value)  # before it is cut: half a token does not look like one
        return "'" + cut(safe).encode("unicode_escape").decode().replace("\\\\", "\\") + "'"
    return cut(json.dumps(value, ensure_ascii=False))


def cut(text: str) -> str:
    """Shorten a value or a name to what a message has room for."""
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "…"


@functools.lru_cache(1024)
def closest(word: str, known: tuple[str, ...]) -> str | None:
    """Return the known word that was probably meant."""
    import difflib

    if len(word) > _WIDTH:
        return None
    plain = {_plain(name): name for name in known}
    # Above difflib's default of 0.6: a wrong proposal is worse than none.
    near = difflib.get_close_matches(_plain(word), list(plain), n=1, cutoff=0.7)
    return plain[near[0]] if near else None


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")


def unknown_key(name: str, known: Sequence[str], homes: Sequence[Steps]) -> str:
    """Say what an unknown key may have meant: a near name, another place, or what there is."""
    if name == "<<":
        return "merge keys are not part of YAML 1.2; write the keys out"
    if near := closest(name, tuple(known)):
        return f"did you mean '{near}'?"
    if homes:
        home = ".".join(str(step) for step in homes[0]).replace(".*", "[]")
        return f"'{name}' belongs under '{home}'" if home else f"'{name}' belongs at the top level"
    return f"known here: {', '.join(known)}"


def wrong_type(
    path: Steps, types: Sequence[str], value: Value, source: str, *, item: bool = False
) -> tuple[str, str | None]:
    """Say what was expected and what stands there, and how to write what was meant.

    `item` says that a list of the value alone would be right.
    """
    if not path and value is None:
        # `init` keeps what is there.
        hint = "remove the file: `clarifai-build init` writes one to start from"
        return "the manifest is empty", hint
    expected = " or ".join(_KINDS[name] for name in types)
    way = f"write [{source}]" if item else _way(types, value, source)
    return f"{dotted(path)} has to be {expected}, not {_kind(value, source)}", way


def _kind(value: Value, source: str) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return f"the boolean {source}"
    if isinstance(value, (int, float)):
        return f"the number {source}"
    if isinstance(value, str):
        return f"the string {format_value(value)}"
    return "a list" if isinstance(value, list) else "a mapping"


def _way(types: Sequence[str], value: Value, source: str) -> str | None:
    if value is None:
        return "give a value, or remove the key"
    if isinstance(value, str):
        if "boolean" in types and value.lower() in _YES_NO:
            return f"write {_YES_NO[value.lower()]}"
        if _fits(core_scalar(value), types):
            return f"write {value} without quotes"
    elif "number" in types and isinstance(value, float):  # one that is not finite
        return f'write a finite number, or "{source}" in quotes if it is text'
    elif "string" in types and not isinstance(value, (list, dict)):
        return f'write "{source}" in quotes'
    return None


def _fits(meant: Value, types: Sequence[str]) -> bool:
    """Return whether the value without its quotes would be of one of the types."""
    # A bool is an int to Python, and would pass for a number.
    if isinstance(meant, bool):
        return "boolean" in types
    if isinstance(meant, int):
        return "integer" in types or "number" in types
    return isinstance(meant, float) and math.isfinite(meant) and "number" in types


def not_allowed(path: Steps, value: Value, allowed: Sequence[Any]) -> tuple[str, str]:
    """Say what may stand there, and which of it was probably meant."""
    message = f"{dotted(path)} can't be {format_value(value)}"
    names = [one for one in allowed if isinstance(one, str)]
    near = closest(value, tuple(names)) if isinstance(value, str) else None
    if near:
        return message, f"did you mean '{near}'?"
    return message, f"one of: {', '.join(str(one) for one in allowed)}"


def out_of_range(path: Steps, keyword: str, value: Value, limit: Any) -> str:
    """Say which limit a value breaks."""
    if isinstance(value, list):
        words = (limit, "item" if limit == 1 else "items", len(value))
        return f"{dotted(path)} {_LIMITS[keyword].format(*words)}"
    return f"{dotted(path)} {_LIMITS[keyword].format(limit, value)}"


def because(value: Value, test: Any) -> str:
    """Say which keys made a conditional rule apply."""
    keys = value if isinstance(value, dict) else {}
    names = [name for name in test.get("properties", {}) if name in keys]
    reasons = " and ".join(f"'{name}' is {format_value(value[name])}" for name in names)
    return f" when {reasons}" if reasons else ""


def example(name: str, examples: Iterable[Value]) -> str | None:
    """Show how a missing key could be written."""
    for value in examples:
        written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return f"for example: {name}: {written}"
    return None
