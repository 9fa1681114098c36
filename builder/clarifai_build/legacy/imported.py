"""What an import makes, and the files by which it recognises its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clarifai_build.manifest import yaml_writer
from clarifai_build.manifest.types import FILE_NAME
from clarifai_build.resources import schema_text
from clarifai_build.scaffold import SCHEMA_COPY

# The file that clarifai 10.1 to 10.8 read.
GENERATION_2 = "clarifai_config.yaml"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import makes: the manifest as data, further files, and notes on what got lost."""

    manifest: dict[str, Any]
    notes: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    def all_files(self) -> dict[str, str]:
        """Return every file to write: path to content."""
        head = [f"# yaml-language-server: $schema={SCHEMA_COPY}"]
        head += [f"# not carried over: {note}" for note in self.notes]
        text = "\n".join([*head, *yaml_writer.block(self.manifest)]) + "\n"
        return {FILE_NAME: text, SCHEMA_COPY: schema_text(), **self.files}
