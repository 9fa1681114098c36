"""FileTree to a folder: the Triton repository laid out as files, for looking at and for serving."""

from __future__ import annotations

from pathlib import Path

from clarifai_build.artifact.segments import blocks_of
from clarifai_build.artifact.tree import Entry, FileTree
from clarifai_build.errors import ArtifactError, cannot_write
from clarifai_build.util.processes.scratch_folder import ScratchFolder


def write_folder(tree: FileTree, target: Path) -> None:
    """Write every file of the tree below `target`, all or nothing.

    Raises ArtifactError when the folder holds something already, or can't be written.
    """
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise ArtifactError.of(
                "not-empty",
                f"{target} exists and is not an empty folder",
                file=str(target),
                hint="remove it, or name another folder with --output",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        with ScratchFolder(target) as partial:
            # One level down: the temporary folder itself is private (0700), and removed at the end.
            for entry in tree.entries:
                _write(entry, Path(partial) / "repository" / entry.path)
            # Windows renames over no folder, not even an empty one.
            if target.exists():
                target.rmdir()
            (Path(partial) / "repository").replace(target)
    except OSError as error:
        raise ArtifactError(cannot_write(target, error)) from error


def _write(entry: Entry, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        stream.writelines(blocks_of(entry))
    file.chmod(entry.mode)
