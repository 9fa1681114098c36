"""Odd text, where it may stand, and what no output may hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from clarifai_build.manifest import yaml_writer
from clarifai_build.manifest.schema import walk
from clarifai_build.manifest.yaml_reader import Steps

BASE: dict[str, Any] = {
    "version": 1,
    "model": {"id": "odd", "type": "visual-classifier", "labels": "labels.txt"},
    "storage": {"bucket": "models-of-ours"},
    "clarifai": {"user_id": "someone", "app_id": "some-app"},
}
INFERENCE = "class InferenceModel:\n    def get_predictions(self, input_data, **kwargs): ...\n"

COMMANDS = ("\n::stop-commands::x", "\r\n  ::add-mask::y", "::set-output name=a::b", "##[error]z")
ODD = (
    *COMMANDS,
    "\0",
    "\x1b[31;1m",
    "\x1b]0;title\x07",
    "\x7f",
    "\x85",
    "\x9b2J",
    "\u061c",
    "\u200b",
    "\u200d",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\ufeff",
    "\U000e0041",
    "\t",
    "\b\b",
)
PLAIN = ("a", "", ".", "..", "/", "~", "%41", "{{ cookiecutter }}", "{% raw %}", "🦊", "שלום", "42")

odd_texts = st.lists(st.sampled_from((*ODD, *PLAIN)), min_size=1, max_size=4).map("".join)


def text_fields() -> list[Steps]:
    """Return the paths of the manifest's fields that take text; `*` is any item."""
    return [path for path, schema in walk() if "string" in _types(schema)] + [
        (*path, "*") for path, schema in walk() if "string" in _types(schema.get("items") or {})
    ]


def _types(schema: Any) -> list[str]:
    if not isinstance(schema, dict):
        return []
    found = schema.get(
        "type", "string" if {"pattern", "enum", "$ref", "allOf"} & set(schema) else []
    )
    return [found] if isinstance(found, str) else list(found)


def manifest_with(path: Steps, value: Any) -> str:
    """Return a manifest, valid but for the value at a path."""
    data = deepcopy(BASE)
    if path[0] == "weights":
        data["weights"] = [{"to": "net.onnx", "from": "net.onnx", "sha256": "a" * 64}]
    if path[0] == "params":
        data["params"] = [{"name": "p", "type": "string", "default": "d"}]
    _put(data, path, value)
    return "\n".join(yaml_writer.block(data)) + "\n"


def _put(data: Any, path: Steps, value: Any) -> None:
    step, *rest = path
    if step == "*":
        step = 0
        if not data:
            data.append({} if rest else value)
    if not rest:
        data[step] = value
        return
    empty: Any = [] if rest[0] == "*" else {}
    there = data.get(step) if isinstance(data, dict) else data[step]
    if not isinstance(there, type(empty)):
        data[step] = empty
    _put(data[step], tuple(rest), value)


def model_with(folder: Path, manifest: str) -> Path:
    """Write a model's folder; return its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "inference.py").write_text(INFERENCE)
    (folder / "labels.txt").write_text("one\ntwo\n")
    (folder / "clarifai.yaml").write_text(manifest, encoding="utf-8", newline="")
    return folder / "clarifai.yaml"


def raw_in(text: str) -> Iterator[str]:
    """Yield what of an output would control who reads it: a terminal, or a CI service."""
    for line in text.split("\n"):
        if line.lstrip().startswith("::") or re.search(r"##[\w.-]*\[", line):
            yield f"a command: {line!r}"
        for at, char in enumerate(line):
            joins = char == "\u200d" and 0 < at < len(line) - 1
            if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and not joins:
                yield f"{char!a} in {line!r}"
