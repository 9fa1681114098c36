"""A manifest from what people already have, and a list of what it could not carry over."""

from __future__ import annotations

from pathlib import Path

from clarifai_build.legacy.imported import GENERATION_2, Imported
from clarifai_build.repository_layout import CONFIG


def import_folder(folder: Path, type_name: str | None = None) -> Imported:
    """Read a Triton repository of clarifai 9.7 to 10.0, or a generation-2 folder.

    Raises UsageError where the folder is neither, ManifestError where its files can't be read or no
    artifact could serve the model.
    """
    from clarifai_build.legacy import generation2, runner_folder, triton_repository

    if (folder / GENERATION_2).is_file():
        return generation2.read_folder(folder)
    if (folder / CONFIG).is_file():
        return triton_repository.read_repository(folder, type_name)
    raise runner_folder.nothing_to_import(folder)


__all__ = ["Imported", "import_folder"]
