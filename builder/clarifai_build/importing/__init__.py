"""A manifest from what people already have, and a list of what it could not carry over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clarifai_build import yaml_text
from clarifai_build.init import SCHEMA_COPY
from clarifai_build.manifest import FILE_NAME
from clarifai_build.problem import UsageError
from clarifai_build.resources import schema_text

GENERATION_2 = "clarifai_config.yaml"
TRITON = "config.pbtxt"


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
        text = "\n".join([*head, *yaml_text.block(self.manifest)]) + "\n"
        return {FILE_NAME: text, SCHEMA_COPY: schema_text(), **self.files}


def import_folder(folder: Path, type_name: str | None = None) -> Imported:
    """Read a Triton repository of clarifai 9.7 to 10.0, or a generation-2 folder.

    Raises UsageError where the folder is neither, ManifestError where its files can't be read.
    """
    from clarifai_build.importing import generation2, triton

    if (folder / GENERATION_2).is_file():
        return generation2.read_folder(folder)
    if (folder / TRITON).is_file():
        return triton.read_repository(folder, type_name)
    raise UsageError.of(
        "nothing-to-import",
        f"'{folder}' has neither {TRITON} nor {GENERATION_2}",
        hint="name the folder that holds one of them",
    )
