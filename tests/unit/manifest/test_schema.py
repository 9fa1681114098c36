"""The schema is the one definition: dataclasses, docs and editors follow it."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from jsonschema import Draft7Validator

from clarifai_build.manifest import types
from clarifai_build.manifest.document import parse
from clarifai_build.manifest.schema import manifest_schema, resolve, walk
from clarifai_build.manifest.yaml_reader import Steps
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.validation import schema_checker
from clarifai_build.validation.load import Examined
from clarifai_build.validation.resolved_settings import settings

ROOT = Path(__file__).parents[3]
PROPERTIES = list(walk())
ANNOTATIONS = {
    *("title", "description", "default", "examples", "x-env", "patternErrorMessage"),
    *("then", "else", "$ref", "definitions", "$schema", "$id"),
}


def required_at(path: Steps) -> Any:
    schema = manifest_schema()
    for step in path:
        schema = resolve(manifest_schema(), schema)
        schema = schema["items"] if step == "*" else schema["properties"][step]
    return resolve(manifest_schema(), schema).get("required", [])


def test_it_is_a_draft_7_schema_with_a_versioned_id() -> None:
    """Any editor and validator can use it."""
    Draft7Validator.check_schema(manifest_schema())
    assert manifest_schema()["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert "1" in manifest_schema()["$id"].rsplit("/", 1)[-1] or "/v1/" in manifest_schema()["$id"]


@pytest.mark.parametrize("path", [path for path, _ in PROPERTIES], ids=".".join)
def test_every_property_explains_itself(path: tuple[str, ...]) -> None:
    """Title, description, examples that are valid, and a default unless it is needed."""
    schema = dict(PROPERTIES)[path]
    assert schema["title"]
    assert schema["description"].endswith(".")
    assert "default" in schema or path[-1] in required_at(path[:-1]) or path[-1] == "bucket"
    validator = Draft7Validator({**schema, "definitions": manifest_schema()["definitions"]})
    assert schema["examples"]
    for example in schema["examples"]:
        assert validator.is_valid(example)
    if schema.get("default") is not None and schema["default"] != {}:
        assert validator.is_valid(schema["default"])


def subschemas(schema: Any) -> list[dict[str, Any]]:
    found = []
    if isinstance(schema, dict):
        found.append(schema)
        for key, inner in schema.items():
            if key in ("properties", "definitions"):
                found += [one for child in inner.values() for one in subschemas(child)]
            elif key in ("items", "then", "else", "if", "not", "additionalProperties"):
                found += subschemas(inner)
            elif key == "allOf":
                found += [one for child in inner for one in subschemas(child)]
    return found


def test_every_keyword_is_one_that_is_read() -> None:
    """A keyword that our reading of the schema does not know would not be enforced."""
    used = {keyword for schema in subschemas(manifest_schema()) for keyword in schema}
    assert used <= set(schema_checker.KEYWORDS) | ANNOTATIONS


def test_no_object_takes_unknown_keys() -> None:
    """Misspelt keys are errors everywhere."""
    objects = [one for one in subschemas(manifest_schema()) if one.get("type") == "object"]
    assert len(objects) > 10
    for schema in objects:
        others = schema["additionalProperties"]
        assert others is False or others.keys() & {"type", "$ref"}


def test_the_model_types_are_those_of_the_table() -> None:
    """One list in two places, held together here."""
    assert resolve(manifest_schema(), manifest_schema()["properties"]["model"])["properties"][
        "type"
    ]["enum"] == list(MODEL_TYPES)


def dataclass_paths(kind: Any, path: Steps = ()) -> set[Steps]:
    found = set()
    hints = get_type_hints(kind, vars(types))
    for field in fields(kind):
        name = {"source": "from"}.get(field.name, field.name)
        hint = hints[field.name]
        inner = [one for one in (hint, *get_args(hint)) if is_dataclass(one)]
        here = (*path, name)
        found.add(here)
        is_list = getattr(hint, "__origin__", None) is tuple
        for one in inner:
            found |= dataclass_paths(one, (*here, "*") if is_list else here)
    return found


def test_dataclasses_have_the_fields_of_the_schema() -> None:
    """Every property becomes a field of its name, and no field is without a property."""
    stated = {
        path
        for path in dataclass_paths(types.Manifest)
        if path[0] not in ("path", "published_to")  # where it lies, and a stand-in for `storage`
    }
    assert stated == {path for path, _ in PROPERTIES}


def test_defaults_are_those_of_the_schema() -> None:
    """What the smallest manifest loads with is what the schema says."""
    text = "model: {id: a, type: visual-embedder}\nstorage: {bucket: abc}\n"
    document = parse(text)
    examined = Examined(document, Path("/nowhere/clarifai.yaml"), (), {})
    values = {one.path: one.value for one in settings(examined, {})}
    defaults = {path: schema.get("default") for path, schema in PROPERTIES if path in values}
    defaults.pop(("code", "path"))  # a folder by then
    expected = {path: value for path, value in defaults.items() if value not in (None, {})}
    assert len(expected) > 10
    assert {path: values[path] for path in expected} == expected


def page_of(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_current() -> None:
    """docs/reference/manifest.md is what `make reference` would write."""
    module = page_of("manifest_reference")
    assert module.PAGE.read_text(encoding="utf-8") == module.page()


def test_the_schemastore_entry_names_this_schema() -> None:
    """The entry in docs/ is ready to be sent, and maps the files that are taken for manifests."""
    entry = json.loads((ROOT / "docs" / "reference" / "schemastore.json").read_text())
    assert entry["url"] == manifest_schema()["$id"]
    assert entry["fileMatch"] == ["clarifai.yaml", "*.clarifai.yaml"]
