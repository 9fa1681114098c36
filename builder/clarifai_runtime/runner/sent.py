"""Parameters as callers send them → the JSON that a server takes.

Only declared names pass: the platform mixes the whole environment of the runner into every request,
over what the caller sent, and none of it may reach a model, an answer or a log.
"""

from __future__ import annotations

import json
import os
from typing import Any, Collection, Dict, Mapping, Sequence

from ..errors import InvalidInputError
from ..parameters import Param

_PLAIN = (bool, int, float, str)


def of_method(values: Mapping[str, Any], declared: Sequence[Param]) -> str:
    """Return what a typed method was called with, without what its caller left out.

    What is left out arrives as clarifai's `Param` object itself, or as None.
    """
    given = {name: value for name, value in values.items() if _was_sent(value)}
    return _as_json({**_secrets(declared), **given})


def of_request(model: Any, declared: Sequence[Param]) -> str:
    """Return the parameters of a request's `model`, as clients of old send them."""
    names = {param.name for param in declared}
    beside = _named(model.model_version.output_info.params, names)
    given = {
        **_named(model.output_info.params, names),
        **{name: value for name, value in beside.items() if not _is_overwritten(name, value)},
    }
    return _as_json({**_secrets(declared), **given})


def _secrets(declared: Sequence[Param]) -> Dict[str, str]:
    """Return the secrets of the model: variables of their names, by which the platform gives them.

    They are all that the environment may give.
    """
    names = (param.name for param in declared if param.type == "secret")
    return {name: os.environ[name] for name in names if name in os.environ}


def _named(params: Mapping[str, Any], names: Collection[str]) -> Dict[str, Any]:
    return {name: params[name] for name in names if name in params and params[name] is not None}


def _is_overwritten(name: str, value: Any) -> bool:
    """Return whether a value is that of an environment variable, laid over what was sent."""
    return not name.startswith("CLARIFAI") and os.environ.get(name) == value


def _was_sent(value: Any) -> bool:
    return value is not None and type(value).__name__ != "Param"


def _as_json(values: Mapping[str, Any]) -> str:
    for name, value in values.items():
        if not isinstance(value, _PLAIN):
            kind = type(value).__name__
            raise InvalidInputError(
                f"inference parameter {name!r} must be a string, a number or a boolean, "
                f"but a {kind} was sent"
            )
    return json.dumps(values) if values else ""
