"""One table of model types: the schema and the template are written from it, code asks it."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import clarifai_build
from clarifai_build.manifest.schema import walk
from clarifai_build.model_types import (
    LARGEST_SIDE,
    MODEL_TYPES,
    default_max_batch_size,
    streaming_types,
    traits_of,
)

ROOT = Path(__file__).parents[2]
PACKAGE = Path(clarifai_build.__file__).parent


@pytest.fixture
def reference() -> ModuleType:
    """The script behind `make reference`."""
    script = ROOT / "scripts" / "model_types_reference.py"
    spec = importlib.util.spec_from_file_location("model_types_reference", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_schema_and_template_are_as_made(reference: ModuleType) -> None:
    """`make reference` would change neither."""
    schema, template = (path.read_text("utf-8") for path in (reference.SCHEMA, reference.TEMPLATE))
    assert reference.schema(schema) == schema
    assert reference.template(template) == template


def test_a_list_that_is_out_of_date_is_written_anew(reference: ModuleType) -> None:
    """Each of the three lists of the schema is found by a type that it holds."""
    schema = reference.SCHEMA.read_text("utf-8")
    stale = schema.replace('"visual-segmenter"]', '"text-classifier"]')
    assert stale != schema
    assert reference.schema(stale) == schema


@pytest.mark.parametrize("name", MODEL_TYPES)
def test_large_tensors_are_tensors_of_the_type(name: str) -> None:
    """Every type has its row, whose tensors are those of the type."""
    model_type = MODEL_TYPES[name]
    tensors = {tensor.name for tensor in (*model_type.inputs, *model_type.outputs)}
    assert set(traits_of(model_type).large_tensors) <= tensors
    assert ("image" in tensors) == ("image" in traits_of(model_type).large_tensors)


def test_embedders_have_an_example_size() -> None:
    """Their starters declare it; no other type has an open vector."""
    sizes = {name: traits_of(kind).example_embedding_size for name, kind in MODEL_TYPES.items()}
    embedders = {name for name in MODEL_TYPES if name.endswith("-embedder")}
    assert {name for name, size in sizes.items() if size} == embedders


def test_text_alone_streams() -> None:
    """An answer of text comes in pieces; no other does."""
    assert streaming_types() == ("text-to-text",)


def test_schema_has_the_limits_of_the_table() -> None:
    """The largest side and the default batch stand in the schema, too."""
    schemas = dict(walk())
    assert schemas["shapes", "image"]["items"]["maximum"] == LARGEST_SIDE
    batch = schemas["triton", "max_batch_size"]
    assert batch["default"] == default_max_batch_size(MODEL_TYPES["visual-detector"])


def test_no_code_asks_for_a_type_by_name() -> None:
    """A new type is a row of the table, and no search for its neighbours' names."""
    named = [
        f"{file.relative_to(PACKAGE)}:{node.lineno}"
        for file in PACKAGE.rglob("*.py")
        if "starters" not in file.parts and file != PACKAGE / "model_types.py"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in MODEL_TYPES
    ]
    assert named == []
