"""Inference parameters: what a request may send, and what the model then gets."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import Any, Dict, Mapping, NamedTuple, Optional, Sequence, Union

from .errors import InvalidInputError

Value = Union[bool, int, float, str]


class Param(NamedTuple):
    """A declared parameter. `default` None means that every request must send it.

    What is sent lies within the bounds, both included, and is one of `choices` where there are any.
    """

    name: str
    type: str
    default: Optional[Value] = None
    description: str = ""
    min_value: Optional[float] = None
    max_value: Optional[float] = None
    choices: Sequence[Value] = ()


class Call(NamedTuple):
    """The parameters of one call: `key` is equal for requests that may share it."""

    key: str
    values: Dict[str, Value]


class Parameters:
    """Turns what a request sends into what the model is called with.

    Without declarations (None) everything passes as it was sent.
    """

    def __init__(self, declared: Optional[Sequence[Param]]) -> None:
        self._declared = None if declared is None else {param.name: param for param in declared}
        # Most requests send what the one before them sent: nothing.
        self._remembered = lru_cache(maxsize=8)(self._resolve)

    def resolve(self, text: str) -> Call:
        """Return the call for a request's parameters, which Triton hands over as JSON."""
        return self._remembered(text)

    def _resolve(self, text: str) -> Call:
        sent = _parse(text)
        values = dict(sent) if self._declared is None else self._fill(self._declared, sent)
        # Sorted JSON keeps True, 1 and 1.0 apart, where tuples and dicts would merge them.
        return Call(json.dumps(values, sort_keys=True), values)

    @staticmethod
    def _fill(declared: Mapping[str, Param], sent: Mapping[str, Any]) -> Dict[str, Value]:
        unknown = sorted(sent.keys() - declared.keys())
        if unknown:
            known = ", ".join(declared) or "none"
            raise InvalidInputError(
                f"unknown inference parameter {', '.join(map(repr, unknown))}; known are: {known}"
            )
        values: Dict[str, Value] = {}
        for name, param in declared.items():
            if name in sent:
                values[name] = _allowed(param, typed_value(param, sent[name]))
            elif param.default is None:
                raise InvalidInputError(f"inference parameter {name!r} is required")
            else:
                values[name] = param.default
        return values


def _parse(text: str) -> Mapping[str, Any]:
    if not text:
        return {}
    try:
        sent = json.loads(text)
    except ValueError as error:
        raise InvalidInputError(f"inference parameters are not JSON: {error}") from error
    if not isinstance(sent, dict):
        raise InvalidInputError("inference parameters must be a JSON object")
    return sent


def typed_value(param: Param, value: Any) -> Value:
    """Return `value` as the declared type, or say what it is instead; text is never converted."""
    if param.type == "number":
        return _number(param, value)
    wanted = bool if param.type == "boolean" else str
    if not isinstance(value, wanted):
        raise _mismatch(param, value)
    return value


def _number(param: Param, value: Any) -> Union[int, float]:
    """Callers often have doubles only: the default says whether a whole number is meant."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _mismatch(param, value)
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInputError(f"inference parameter {param.name!r} must be finite, not {value}")
    if isinstance(param.default, float):
        return float(value)
    if isinstance(param.default, int) and value == int(value):
        return int(value)
    return value


def _allowed(param: Param, value: Value) -> Value:
    # The value stays out of the messages, as below.
    if param.choices and value not in param.choices:
        choices = ", ".join(map(repr, param.choices))
        raise InvalidInputError(f"inference parameter {param.name!r} must be one of {choices}")
    if isinstance(value, str):
        return value
    if param.min_value is not None and value < param.min_value:
        raise InvalidInputError(
            f"inference parameter {param.name!r} must be at least {param.min_value:g}"
        )
    if param.max_value is not None and value > param.max_value:
        raise InvalidInputError(
            f"inference parameter {param.name!r} must be at most {param.max_value:g}"
        )
    return value


def _mismatch(param: Param, value: Any) -> InvalidInputError:
    # The value stays out of the message: a secret must not reach a log.
    kind = {bool: "boolean", str: "string", int: "number", float: "number"}.get(type(value))
    got = kind or type(value).__name__
    return InvalidInputError(
        f"inference parameter {param.name!r} must be a {param.type}, but a {got} was sent"
    )
