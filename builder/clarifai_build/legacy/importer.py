"""A manifest from what people already have, and a list of what it could not carry over."""

from __future__ import annotations

from pathlib import Path

from clarifai_build.errors import UsageError
from clarifai_build.legacy.imported import GENERATION_2, Imported
from clarifai_build.repository_layout import CONFIG, RUNNER_CONFIG


def import_folder(folder: Path, type_name: str | None = None) -> Imported:
    """Read a Triton repository of clarifai 9.7 to 10.0, a generation-2 folder, or a runner's.

    Raises UsageError where the folder is none of them, ManifestError where its files can't be read
    or no artifact could serve the model.
    """
    from clarifai_build.legacy import generation2, triton_repository
    from clarifai_build.legacy.runner import folder as runner

    if (folder / GENERATION_2).is_file():
        return generation2.read_folder(folder)
    if (folder / CONFIG).is_file():
        return triton_repository.read_repository(folder, type_name)
    if runner.is_runner_folder(folder):
        return runner.read_folder(folder, type_name)
    raise _nothing_to_import(folder)


def _nothing_to_import(folder: Path) -> UsageError:
    """Return why the folder can't be imported, and what can be done instead."""
    hint = "name the folder that holds one of them"
    if below := _below(folder):
        hint = f"did you mean {' or '.join(repr(str(path)) for path in below)}?"
    names = f"neither {CONFIG} nor {GENERATION_2}, and no runner's {RUNNER_CONFIG}"
    return UsageError.of("nothing-to-import", f"'{folder}' has {names}", hint=hint)


def _below(folder: Path) -> list[Path]:
    """Return the folders just below that could be imported, the first few of them."""
    found = (file.parent for name in (CONFIG, GENERATION_2) for file in folder.glob(f"*/{name}"))
    return sorted(found)[:3]


__all__ = ["Imported", "import_folder"]
