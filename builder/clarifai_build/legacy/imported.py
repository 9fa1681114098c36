"""What an import makes, and the files by which it recognises its source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clarifai_build.manifest import environment, yaml_writer
from clarifai_build.manifest.types import FILE_NAME
from clarifai_build.manifest.yaml_reader import Steps
from clarifai_build.resources import schema_text
from clarifai_build.scaffold import SCHEMA_COPY
from clarifai_build.util.redaction import masked

# The file that clarifai 10.1 to 10.8 read.
GENERATION_2 = "clarifai_config.yaml"
# More of them would bury the manifest below; the command tells all.
_NOTES_AT_THE_TOP = 50
# What JSON and YAML can escape, and no file can hold.
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import makes: the manifest as data, further files, and notes on what got lost."""

    manifest: dict[str, Any]
    notes: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        manifest: dict[str, Any],
        notes: Iterable[str],
        files: Mapping[str, str] | None = None,
    ) -> Imported:
        """Make it of what was read from other people's files: their text stays text."""
        told = list(notes)
        literal = _literal(manifest, (), told)
        # The manifest is committed, and the notes stand in it.
        return cls(literal, tuple(masked(note) for note in dict.fromkeys(told)), files or {})

    def all_files(self) -> dict[str, str]:
        """Return every file to write: path to content."""
        head = [yaml_writer.comment(f"yaml-language-server: $schema={SCHEMA_COPY}")]
        shown = self.notes[:_NOTES_AT_THE_TOP]
        head += [yaml_writer.comment(f"not carried over: {note}") for note in shown]
        if more := len(self.notes) - len(shown):
            head.append(yaml_writer.comment(f"not carried over: {more} more"))
        text = "\n".join([*head, *yaml_writer.block(self.manifest)]) + "\n"
        return {FILE_NAME: text, SCHEMA_COPY: schema_text(), **self.files}


def _literal(value: Any, path: Steps, notes: list[str]) -> Any:
    """Return the value with all text in it readable as the text that it is.

    `${env:…}` is the manifest's own syntax, which has no escape: in the text of others it would put
    a variable of whoever applies the manifest into what is published.
    """
    if isinstance(value, dict):
        return {
            _SURROGATE.sub("\ufffd", key): _literal(item, (*path, key), notes)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_literal(item, (*path, "*"), notes) for item in value]
    if not isinstance(value, str):
        return value
    place = ".".join(str(step) for step in path if step != "*")
    if _SURROGATE.search(value):
        notes.append(f"{place}: half a character, which no file can hold, became U+FFFD")
        value = _SURROGATE.sub("\ufffd", value)
    if "${" in value and (
        path in environment.allowed_fields() or environment.REFERENCE.search(value)
    ):
        notes.append(f"{place}: '${{' would refer to the environment, and became '$ {{'")
        value = value.replace("${", "$ {")
    return value
