"""What several commands do about models that no manifest names any more."""

from __future__ import annotations

from clarifai_build.cli.targets import Loaded, Target
from clarifai_build.deploy.destroy import Deletion, destroy_leased, find_orphans
from clarifai_build.errors import UsageError
from clarifai_build.progress import ProgressCallback


def orphans_in(loaded: Loaded) -> list[tuple[Target, Deletion]]:
    """Return the models to prune, each with a target of the same project and account.

    Raises UsageError where that is not certain: a manifest that does not load may name them.
    """
    if loaded.errors:
        raise UsageError.of(
            "prune-unsure",
            "nothing is pruned while manifests do not load: they may name what would be destroyed",
            hint="mend them, or leave --prune out",
        )
    groups: dict[tuple[str, int], list[Target]] = {}
    for target in loaded.targets:
        if target.manifest.project:
            key = (target.manifest.project, id(target.registry))
            groups.setdefault(key, []).append(target)
    if not groups:
        raise UsageError.of(
            "prune-project",
            "--prune needs manifests with a 'project:', which says what belongs together",
        )
    named = {(id(target.registry), target.manifest.model.id) for target in loaded.targets}
    return [
        (targets[0], deletion)
        for (project, registry), targets in groups.items()
        for deletion in find_orphans(
            targets[0].registry, project, {model for at, model in named if at == registry}
        )
    ]


def prune(target: Target, deletion: Deletion, progress: ProgressCallback, *, lease: bool) -> None:
    """Destroy a model while no apply of it can run; `target` says where its lease lies."""
    prefix = target.manifest.destination.prefix
    destroy_leased(target.store(), prefix, target.registry, deletion, progress, lease=lease)
