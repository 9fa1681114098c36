"""Checks the `test` section: that the model type and its parameters can be asked like that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from clarifai_build.errors import Problem
from clarifai_build.manifest.document import Document
from clarifai_build.manifest.types import TRIAL_IMAGE_BYTES
from clarifai_build.manifest.yaml_reader import Steps, Value
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.util.small_files import read_small

_FITS: dict[Value, tuple[type, ...]] = {
    "boolean": (bool,),
    "number": (int, float),
    "string": (str,),
    "secret": (str,),
}


def problems(document: Document, base: Path) -> Iterator[Problem]:
    """Yield what is wrong with the request; image files are looked for from the folder `base`."""
    inputs = document.get("test", "inputs")
    for index in range(len(inputs) if isinstance(inputs, list) else 0):
        yield from _input(document, base, ("test", "inputs", index))
    values = document.get("test", "params")
    if isinstance(values, dict):
        declared = _declared(document)
        for name, value in values.items():
            yield from _param(document, declared, name, value)


def _input(document: Document, base: Path, path: Steps) -> Iterator[Problem]:
    given = document.get(*path)
    name = document.get("model", "type")
    model_type = MODEL_TYPES.get(name) if isinstance(name, str) else None
    if model_type is None or not isinstance(given, dict):
        return
    taken = [tensor.name for tensor in model_type.inputs]
    if not any(field in given for field in taken):
        message = f"an input of a {name} needs {' or '.join(taken)}"
        yield document.problem("trial-input", message, path)
    for field in given:
        if field in ("text", "image") and field not in taken:
            message = f"a {name} takes no {field}"
            hint = f"give it {' or '.join(taken)}"
            yield document.problem("trial-input", message, (*path, field), hint=hint)
    image = given.get("image")
    if isinstance(image, str) and image and "image" in taken:
        try:
            read_small(base / image, TRIAL_IMAGE_BYTES)
        except OSError as error:
            message = f"'{image}' can't be read: {error.strerror}"
            yield document.problem("trial-image", message, (*path, "image"))


def _declared(document: Document) -> dict[Value, Value]:
    """Return the type of each declared parameter by its name."""
    params = document.get("params")
    entries = params if isinstance(params, list) else []
    return {one.get("name"): one.get("type") for one in entries if isinstance(one, dict)}


def _param(
    document: Document, declared: dict[Value, Value], name: str, value: Value
) -> Iterator[Problem]:
    path: Steps = ("test", "params", name)
    if name not in declared:
        hint = "declare it under params, or remove it here"
        yield document.problem("trial-param", f"there is no parameter '{name}'", path, hint=hint)
        return
    kind = declared[name]
    fits = _FITS.get(kind)
    # A bool is an int, too.
    if fits and (not isinstance(value, fits) or (isinstance(value, bool) and kind != "boolean")):
        yield document.problem("trial-param", f"parameter '{name}' is a {kind}", path)
