"""Values of inference parameters while a model is tested: secrets stand in no file."""

from __future__ import annotations

import json
from typing import Collection, Dict, Mapping, Sequence

from ..parameters import Param, Value, typed_value

PREFIX = "CLARIFAI_BUILD_PARAM_"
"""How the environment variables begin whose rest is a parameter's name."""


def from_environment(declared: Sequence[Param], environ: Mapping[str, str]) -> Dict[str, Value]:
    """Return the values that the environment gives to declared parameters, as their types."""
    given = [(param, environ.get(PREFIX + param.name)) for param in declared]
    return {param.name: _typed(param, text) for param, text in given if text is not None}


def check_complete(declared: Sequence[Param], given: Collection[str]) -> None:
    """Raise where a parameter has no default and is not among those given; say how to give it."""
    # Names alone: pytest shows the arguments of what raises, and secrets are among the values.
    missing = [param for param in declared if param.default is None and param.name not in given]
    if missing:
        names = ", ".join(f"{param.name} ({param.type})" for param in missing)
        raise ValueError(
            f"no value to test with, and no default: {names}. Set the environment variable "
            f"{PREFIX}{missing[0].name}, or `parameters` of the class in 1/test.py"
        )


def _typed(param: Param, text: str) -> Value:
    if param.type in ("string", "secret"):
        return text
    try:
        return typed_value(param, json.loads(text))
    except ValueError:  # InvalidInputError is one, too.
        raise ValueError(f"{PREFIX}{param.name} must be a {param.type} as JSON has it") from None
