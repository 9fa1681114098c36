"""Writes docs/reference/manifest.md from the schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clarifai_build.manifest.schema import manifest_schema, resolve, walk

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "manifest.md"
HEAD = """\
# The manifest

Made from `schema/clarifai.schema.json` by `make reference`. A manifest is a file `clarifai.yaml`,
or `NAME.clarifai.yaml` where several stand in one folder. Paths in it are relative to it.

- Plain text follows YAML 1.2: `no` and `on` are text, `true` and `false` are booleans, `0123` is
  123, and `3.10` is a number, so versions stand in quotes.
- Unknown keys, keys that stand twice, anchors without end, files beyond 1 MiB and several
  documents in a file are errors. Merge keys (`<<`) are not part of YAML 1.2.
- Fields marked with **env** take `${env:NAME}` and `${env:NAME:-default}`. Besides, the environment
  variables of the official CLI and its contexts (`~/.config/clarifai/config`, read and never
  written) fill in what `clarifai` leaves open; the environment wins.
- No field holds a secret. `clarifai-build config --show` prints every value and where it came from.

The smallest one:

```yaml
model:
  id: my-model
  type: text-to-text
```
"""
NUMBERS = {"minimum": "at least", "maximum": "at most"}


def page() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *_sections()]).rstrip() + "\n"


def _sections() -> Iterator[str]:
    everything = list(walk())
    containers = {path[: len(path) - 1] for path, _ in everything}
    yield "## Top level\n"
    yield from _table([(path, known) for path, known in everything if len(path) == 1])
    for path, known in everything:
        inside = (*path, "*") if (*path, "*") in containers else path
        if inside in containers:
            yield f"## {_name(inside)}\n"
            yield f"{_plain(known).get('description', '')}\n"
            children = [(one, child) for one, child in everything if one[:-1] == inside]
            yield from _table(children)


def _table(properties: list[tuple[Any, Any]]) -> Iterator[str]:
    yield "| key | what it says | takes | default | example |"
    yield "|---|---|---|---|---|"
    for path, known in properties:
        schema = _plain(known)
        needed = "needed" if path[-1] in _required(path) else _json(schema.get("default"))
        cells = (f"`{path[-1]}`", _description(schema), _takes(schema), needed)
        yield f"| {' | '.join(cells)} | {_json(schema['examples'][0])} |"
    yield ""


def _plain(schema: Any) -> Any:
    """Merge a property with the definition that it refers to."""
    schema = dict(resolve(manifest_schema(), schema))
    for part in schema.get("allOf", ()):
        if "if" not in part:
            schema = {**_plain(part), **schema}
    return schema


def _required(path: Any) -> list[str]:
    schema = manifest_schema()
    for step in path[:-1]:
        schema = resolve(manifest_schema(), schema)
        schema = schema["items"] if step == "*" else schema["properties"][step]
    required: list[str] = resolve(manifest_schema(), schema).get("required", [])
    return required


def _description(schema: Any) -> str:
    text: str = schema["description"].replace("|", "\\|")
    return f"{text} **env**" if schema.get("x-env") else text


def _takes(schema: Any) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    limits = [f"{word} {schema[key]}" for key, word in NUMBERS.items() if key in schema]
    if message := schema.get("patternErrorMessage"):
        limits.append(message)
    return "; ".join([" or ".join(kinds), *limits])


def _json(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        value = value[0]
    return f"`{json.dumps(value, ensure_ascii=False)}`".replace("|", "\\|")


def _name(path: Any) -> str:
    return ".".join(path).replace(".*", "[]")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
