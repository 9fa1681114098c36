"""What several commands do about models that no manifest names any more.

That a manifest is not there has innocent causes: it was renamed, it lies where nothing is searched,
it is not checked out, its id is another one in this environment. Nothing is destroyed while that is
possible.
"""

from __future__ import annotations

from collections.abc import Iterable

from clarifai_build.connection import Connected, Connection
from clarifai_build.deploy.destroy import Deletion, find_orphans
from clarifai_build.errors import Problem, UsageError
from clarifai_build.manifest.unseen import naming_elsewhere, others_naming

_UNSURE = "nothing is pruned while manifests may have been passed over: they may name what would go"


def orphans_in(found: Connected) -> list[tuple[Connection, Deletion]]:
    """Return the models to prune, each with a connection of the same project and account.

    Raises UsageError where that is not certain: a manifest that does not load may name them.
    """
    if found.errors:
        raise UsageError.of(
            "prune-unsure",
            "nothing is pruned while manifests do not load: they may name what would be destroyed",
            hint="fix them, or leave --prune out",
        )
    _refuse(found.passed_over)
    groups: dict[tuple[str, int], Connection] = {}
    for connection in found.connections:
        if connection.manifest.project:
            # By identity: manifests of one account share a registry.
            key = (connection.manifest.project, id(connection.registry))
            groups.setdefault(key, connection)
    if not groups:
        raise UsageError.of(
            "prune-project",
            "--prune needs manifests with a 'project:', which says what belongs together",
        )
    named = {(id(one.registry), one.manifest.model.id) for one in found.connections}
    orphans = [
        (connection, deletion)
        for (project, registry), connection in groups.items()
        for deletion in find_orphans(
            connection.registry, project, {model for at, model in named if at == registry}
        )
    ]
    if orphans:
        files = [one.manifest.path for one in found.connections]
        models = [deletion.model for _, deletion in orphans]
        _refuse([*naming_elsewhere(files, models), *others_naming(files, models)])
    return orphans


def _refuse(passed_over: Iterable[Problem]) -> None:
    problems = [problem._replace(severity="error") for problem in passed_over]
    if problems:
        hint = "see to each of them, or leave --prune out"
        raise UsageError(Problem("prune-unsure", _UNSURE, hint=hint), *problems)
