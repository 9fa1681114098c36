"""config.pbtxt → the dict that Triton makes of it, as far as tests without a server need it."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List

_TOKEN = re.compile(r'\s+|,|;|#[^\n]*|(?P<token>"(?:[^"\\]|\\.)*"|[\w.+-]+|[\[\]{}:])')
_REPEATED = frozenset({"input", "output", "dims", "instance_group"})


def parse_config(text: str) -> Dict[str, Any]:
    """Return the fields of a model configuration in protobuf's text format."""
    tokens = _tokens(text)
    return _message(tokens, "")


def _tokens(text: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ValueError(f"config.pbtxt can't be read at {text[place : place + 20]!r}")
        if match.group("token"):
            yield match.group("token")
        place = match.end()


def _message(tokens: Iterator[str], end: str) -> Dict[str, Any]:
    fields: Dict[str, Any] = {}
    for name in tokens:
        if name == end:
            break
        value = _value(tokens)
        if name not in _REPEATED:
            fields[name] = value
        else:
            fields.setdefault(name, []).extend(value if isinstance(value, list) else [value])
    return fields


def _value(tokens: Iterator[str]) -> Any:
    token = next(tokens, "")
    if token == ":":
        token = next(tokens, "")
    if token == "{":
        return _message(tokens, "}")
    if token == "[":
        return _list(tokens)
    return _scalar(token)


def _list(tokens: Iterator[str]) -> List[Any]:
    values: List[Any] = []
    for token in tokens:
        if token == "]":
            break
        values.append(_message(tokens, "}") if token == "{" else _scalar(token))
    return values


def _scalar(token: str) -> Any:
    if token.startswith('"'):
        return token[1:-1]
    if token.lower() in ("true", "false"):
        return token.lower() == "true"
    return int(token) if token.lstrip("-").isdigit() else token
