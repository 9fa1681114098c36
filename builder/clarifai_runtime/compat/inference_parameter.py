"""Inference parameters as the old SDK lets users write them down in Python."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Union

from ..errors import InvalidInputError
from ..parameters import Param, Value, typed_value


class InferParamType:
    """The platform's numbers for the types of parameters."""

    BOOL = 1
    STRING = 2
    NUMBER = 3
    ENCRYPTED_STRING = 21


_TYPE_NAMES = {
    InferParamType.BOOL: "boolean",
    InferParamType.STRING: "string",
    InferParamType.NUMBER: "number",
    InferParamType.ENCRYPTED_STRING: "secret",
}


@dataclass
class InferParam:
    """One declared parameter."""

    path: str
    field_type: int
    default_value: Any = None
    description: str = ""

    def __post_init__(self) -> None:
        if not self.path.isidentifier():
            raise ValueError(f"path must be a Python identifier, not {self.path!r}")
        if type(self.field_type) is not int or self.field_type not in _TYPE_NAMES:
            raise ValueError(f"field_type must be one of {sorted(_TYPE_NAMES)}")
        if self.default_value is not None:
            self.validate_type(self.default_value)

    def validate_type(self, value: Any) -> None:
        """Raise if `value` is not of the declared type."""
        typed_value(Param(self.path, _TYPE_NAMES[self.field_type]), value)

    def todict(self) -> Dict[str, Any]:
        """Return the parameter as the JSON file has it."""
        return asdict(self)


@dataclass
class InferParamManager:
    """All parameters of a model, given or read from a JSON file."""

    json_path: Union[str, Path] = ""
    params: List[InferParam] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.json_path and not self.params:
            raw = json.loads(Path(self.json_path).read_text(encoding="utf-8"))
            entries = raw if isinstance(raw, list) else [raw]
            self.params = [InferParam(**entry) for entry in entries]

    @classmethod
    def from_kwargs(cls, **kwargs: Value) -> InferParamManager:
        """Declare parameters by their defaults; a str whose name starts with _ is a secret."""
        declared = [(name, _type_of(name, value), value) for name, value in kwargs.items()]
        return cls(params=[InferParam(name, kind, value, name) for name, kind, value in declared])

    def get_list_params(self) -> List[Dict[str, Any]]:
        """Return the parameters as the JSON file has them."""
        return [param.todict() for param in self.params]

    def export(self, path: Union[str, Path]) -> None:
        """Write the JSON file."""
        text = json.dumps(self.get_list_params(), indent=2)
        Path(path).write_text(text, encoding="utf-8")

    def validate(self, **kwargs: Value) -> Dict[str, Any]:
        """Fill in defaults, and refuse what is not declared."""
        declared = {param.path: param for param in self.params}
        unknown = sorted(kwargs.keys() - declared.keys())
        if unknown:
            raise InvalidInputError(f"unknown inference parameter {', '.join(unknown)}")
        for name, value in kwargs.items():
            declared[name].validate_type(value)
        return {**{name: param.default_value for name, param in declared.items()}, **kwargs}


def _type_of(name: str, value: Value) -> int:
    if isinstance(value, bool):
        return InferParamType.BOOL
    if isinstance(value, (int, float)):
        return InferParamType.NUMBER
    if isinstance(value, str):
        return InferParamType.ENCRYPTED_STRING if name.startswith("_") else InferParamType.STRING
    raise TypeError(f"parameter {name!r} can't be a {type(value).__name__}")
