"""What changed in an artifact, file by file: the published zip's list of files against the tree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from clarifai_build.artifact.tree import FileTree
from clarifai_build.deploy.planning import Plan
from clarifai_build.errors import ArtifactError, StorageError
from clarifai_build.inspection import contents
from clarifai_build.inspection.contents import File


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of the artifact that differs; sizes in bytes, None where it is absent."""

    change: Literal["added", "removed", "changed"]
    path: str
    before: int | None
    after: int | None

    @property
    def weight(self) -> int:
        """The size of the larger side."""
        return max(self.before or 0, self.after or 0)


def compare(published: Iterable[File], tree: FileTree) -> tuple[FileChange, ...]:
    """Return the files that differ in content or mode, largest first."""
    before = {entry.path: entry for entry in published}
    after = {entry.path: entry for entry in tree.entries}
    changes = [
        FileChange("removed", path, before[path].size, None) for path in before.keys() - after
    ]
    for path, entry in after.items():
        was = before.get(path)
        if was is None:
            changes.append(FileChange("added", path, None, entry.size))
        elif (was.size, was.crc32, was.mode) != (entry.size, entry.crc32, entry.mode):
            changes.append(FileChange("changed", path, was.size, entry.size))
    return tuple(sorted(changes, key=lambda change: (-change.weight, change.path)))


def file_changes(plan: Plan, tree: FileTree, url: str) -> tuple[FileChange, ...] | None:
    """Return what the artifact of a plan changes in the one that is live, which lies at `url`.

    Reads the published list of files only where there is a change to show, and gives None where it
    can't be read: a plan does not fail for that.
    """
    if plan.live is None or plan.live.artifact_digest == plan.registration.artifact_digest:
        return ()
    try:
        return compare(contents.of_url("live", url).files.values(), tree)
    except (StorageError, ArtifactError):
        return None
