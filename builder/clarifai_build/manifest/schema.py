"""The schema of a manifest, and what the rest of the tool asks it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from typing import Any

from clarifai_build import resources
from clarifai_build.manifest.yaml_reader import Steps, Value

Schema = Any  # bool | dict[str, Any]


@functools.cache
def manifest_schema() -> Schema:
    """Return the schema of a manifest."""
    return json.loads(resources.schema_text())


def resolve(root: Schema, schema: Schema) -> Schema:
    """Follow a `$ref` into the schema's definitions."""
    while "$ref" in schema:
        schema = root["definitions"][schema["$ref"].removeprefix("#/definitions/")]
    return schema


def walk() -> Iterator[tuple[Steps, Schema]]:
    """Yield every property of the schema with its path, outer ones first."""
    root = manifest_schema()

    def inside(schema: Schema, path: Steps) -> Iterator[tuple[Steps, Schema]]:
        schema = resolve(root, schema)
        if path and path[-1] != "*":
            yield path, schema
        for name, known in schema.get("properties", {}).items():
            yield from inside(known, (*path, name))
        if isinstance(schema.get("items"), dict):
            yield from inside(schema["items"], (*path, "*"))

    return inside(root, ())


def homes(name: str) -> list[Steps]:
    """Return where the schema has a property of this name."""
    return [path[:-1] for path, _ in walk() if path[-1] == name]


def examples(path: Steps, name: str) -> list[Value]:
    """Return the examples of the property `name` at `path`."""
    generic = tuple("*" if isinstance(step, int) else step for step in path)
    for known, schema in walk():
        if known == (*generic, name):
            return list(schema.get("examples", []))
    return []


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of the schema."""
    # In JSON Schema `$` is the end of the text; Python's also matches before a last line break.
    return re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern))


def matches(definition: str, text: str) -> bool:
    """Return whether text has the form that one of the schema's definitions asks for."""
    return bool(compiled(manifest_schema()["definitions"][definition]["pattern"]).match(text))


def way_out(definition: str) -> str:
    """Return what to say of text that does not match."""
    return str(manifest_schema()["definitions"][definition]["patternErrorMessage"])
