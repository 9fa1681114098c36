"""Strategies: manifests drawn from the schema, valid by it but not by more."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft7Validator

from clarifai_build.manifest.schema import manifest_schema, resolve


def manifests() -> st.SearchStrategy[Any]:
    """Draw any manifest that the schema accepts."""
    return _value(manifest_schema())


def _value(schema: Any) -> st.SearchStrategy[Any]:
    return _strategy(json.dumps(schema))


@functools.cache
def _strategy(written: str) -> st.SearchStrategy[Any]:
    schema = _flat(json.loads(written))
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([_KINDS[kind](schema) for kind in kinds])


def _flat(schema: Any) -> Any:
    """Follow references, and merge the parts of an `allOf` that are no conditions."""
    schema = dict(resolve(manifest_schema(), schema))
    for part in schema.get("allOf", ()):
        if "if" not in part:
            schema |= _flat(part)
    return schema


def _text(schema: Any) -> st.SearchStrategy[str]:
    if pattern := schema.get("pattern"):
        # A look-ahead only limits the length, and drawing by it is slow.
        simple = re.sub(r"\(\?=[^)]*\)", "", pattern).replace("$)", ")")
        drawn = st.from_regex(re.compile(simple, re.ASCII), fullmatch=True)
        return drawn.filter(lambda text: re.search(pattern, text) and text.isprintable())
    characters = st.characters(exclude_categories=["Cs", "Cc"])
    return st.text(characters, min_size=schema.get("minLength", 0), max_size=20)


def _number(schema: Any) -> st.SearchStrategy[Any]:
    return st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))


def _integer(schema: Any) -> st.SearchStrategy[int]:
    least, most = schema.get("minimum", -1000), schema.get("maximum", 100_000)
    forbidden = schema.get("not", {}).get("const")
    return st.integers(least, most).filter(lambda number: number != forbidden)


def _array(schema: Any) -> st.SearchStrategy[list[Any]]:
    least = schema.get("minItems", 0)
    return st.lists(
        _value(schema["items"]),
        min_size=least,
        max_size=schema.get("maxItems", least + 2),
        unique=schema.get("uniqueItems", False),
    )


@st.composite
def _object(draw: st.DrawFn, schema: Any) -> dict[str, Any]:
    properties = schema.get("properties", {})
    required = schema.get("required", ())
    drawn = {
        name: draw(_value(known))
        for name, known in properties.items()
        if name in required or draw(st.booleans())
    }
    if isinstance(schema.get("additionalProperties"), dict):
        drawn |= draw(st.dictionaries(st.text("abAB_", min_size=1), st.text("xyz"), max_size=2))
    for part in (schema, *schema.get("allOf", ())):
        _conform(draw, drawn, part, properties)
    return drawn


def _conform(draw: st.DrawFn, drawn: dict[str, Any], schema: Any, properties: Any) -> None:
    """Apply the branch of an `if` that the drawn object is subject to."""
    if "if" not in schema:
        return
    branch = schema.get("then" if Draft7Validator(schema["if"]).is_valid(drawn) else "else", {})
    for name in branch.get("required", ()):
        drawn.setdefault(name, draw(_value(properties[name])))
    for name, narrower in branch.get("properties", {}).items():
        if narrower is False:
            drawn.pop(name, None)
        elif name in drawn:
            drawn[name] = draw(_value(narrower))
    _conform(draw, drawn, branch, properties)


_KINDS = {
    "string": _text,
    "boolean": lambda schema: st.booleans(),
    "integer": _integer,
    "number": _number,
    "array": _array,
    "object": _object,
}
