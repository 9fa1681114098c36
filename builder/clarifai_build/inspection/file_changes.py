"""What changed in an artifact, file by file: the published zip's list of files against the tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from clarifai_build.artifact.tree import FileTree
from clarifai_build.deploy.planning import Plan
from clarifai_build.errors import ArtifactError, StorageError
from clarifai_build.inspection import contents
from clarifai_build.inspection.contents import DifferenceKind, Listed, differences, files_of

FileChangeKind = Literal["added", "removed", "changed"]
# A plan does not tell content and mode apart.
_KINDS: Mapping[DifferenceKind, FileChangeKind] = {
    "added": "added",
    "removed": "removed",
    "content": "changed",
    "mode": "changed",
}


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of the artifact that differs; sizes in bytes, None where it is absent."""

    change: FileChangeKind
    path: str
    before: int | None
    after: int | None

    @property
    def weight(self) -> int:
        """The size of the larger side."""
        return max(self.before or 0, self.after or 0)


def compare(published: Iterable[Listed], tree: FileTree) -> tuple[FileChange, ...]:
    """Return the files that differ in content or mode, largest first."""
    changes = [
        FileChange(
            _KINDS[one.change],
            one.path,
            one.before.size if one.before else None,
            one.after.size if one.after else None,
        )
        for one in differences(files_of(published), files_of(tree.entries))
    ]
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
