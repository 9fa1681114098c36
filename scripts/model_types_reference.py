"""Writes what follows from the table of model types: the schema's enums and cookiecutter.json."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from clarifai_build.manifest.types import Runner
from clarifai_build.model_types import MODEL_TYPES, template_variables
from clarifai_build.targets.runner.render import runner_variables

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "schema" / "clarifai.schema.json"
TEMPLATE = ROOT / "cookiecutter-template" / "cookiecutter.json"
WIDTH = 100
_FIRST = "|".join(map(re.escape, MODEL_TYPES))
_ENUM = re.compile(rf'^( *)"enum": \[\s*"(?:{_FIRST})"[^\]]*\]', re.MULTILINE)


def schema(text: str) -> str:
    """Return the schema with its lists of model types as the table has them."""
    lists = _lists()
    made = _ENUM.sub(lambda match: _written(match[1], next(lists)), text)
    if next(lists, None) is not None:
        raise ValueError(f"{SCHEMA.name} lacks a list of model types")
    return made


def template(text: str) -> str:
    """Return cookiecutter.json with the variables that follow from the table."""
    known = {**json.loads(text), **template_variables(), **runner_variables(Runner())}
    return json.dumps(known, indent=2) + "\n"


def _lists() -> Iterator[list[str]]:
    """Yield the lists in the order of the schema: all types, those with labels, those without."""
    yield list(MODEL_TYPES)
    yield [name for name, model_type in MODEL_TYPES.items() if model_type.has_labels]
    yield [name for name, model_type in MODEL_TYPES.items() if not model_type.has_labels]


def _written(indent: str, names: list[str]) -> str:
    line = f'{indent}"enum": {json.dumps(names)}'
    if len(line) <= WIDTH:
        return line
    body = ",\n".join(f'{indent}  "{name}"' for name in names)
    return f'{indent}"enum": [\n{body}\n{indent}]'


if __name__ == "__main__":
    for file, write in ((SCHEMA, schema), (TEMPLATE, template)):
        file.write_text(write(file.read_text(encoding="utf-8")), encoding="utf-8")
