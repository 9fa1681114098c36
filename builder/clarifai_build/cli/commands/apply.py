"""Make live what the manifests say: build, upload, register, and wait until they are ready.

Applying again with nothing changed does nothing. Given the file that `plan --out` wrote, apply does
what that plan says, or refuses when anything has changed since.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarifai_build.cancellation import CancelToken
from clarifai_build.cli.approval import Approval
from clarifai_build.cli.arguments import add_locked, add_manifests, add_sandbox, add_waiting
from clarifai_build.cli.console import Console
from clarifai_build.cli.fleet_command import Models, Results
from clarifai_build.cli.tables import error_json, report_errors, table
from clarifai_build.connection import Connection
from clarifai_build.deploy.fleet import failure
from clarifai_build.errors import UsageError
from clarifai_build.pipeline import ApplyOptions, Waiting
from clarifai_build.progress import ProgressCallback
from clarifai_build.provenance.lock_drift import check_lock
from clarifai_build.util.urls import redact_url

if TYPE_CHECKING:
    from clarifai_build.deploy.destroy import Deletion
    from clarifai_build.deploy.saved_plan import SavedPlan
    from clarifai_build.pipeline import Applied


def configure(parser: ArgumentParser) -> None:
    add_manifests(parser)
    add_sandbox(parser)
    add_locked(parser)
    parser.add_argument("--adopt", action="store_true", help="take over models made otherwise")
    add_waiting(parser, "the versions are registered")
    parser.add_argument(
        "--prune",
        action="store_true",
        help="then destroy models of the same project that no manifest names any more",
    )
    parser.add_argument(
        "--yes", action="store_true", help="destroy without asking; needed without a terminal"
    )
    parser.add_argument(
        "--no-lease",
        action="store_true",
        help="do not keep other applies of the same model away meanwhile",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: Namespace, console: Console) -> int:
    console.json_errors = args.json
    saved = _saved(args)
    models = Models(args.manifests, args, console)
    approval = Approval(console, saved, yes=args.yes)
    deletion = _orphans(models) if args.prune else []
    # Asked before hours of uploads, not after them.
    approval.of_pruning([one for _, one in deletion])

    def apply(connection: Connection, progress: ProgressCallback) -> Applied:
        return _apply(connection, args, approval, models.cancel, progress)

    results = models.each(apply)
    results.raise_if_alone()
    pruned: list[str] = []
    # Destroy only when everything else went well: one failure may mean a wrong manifest.
    if not results.errors:
        for connection, orphan in deletion:
            destroy = partial(connection.destroy, progress=models.progress, lease=not args.no_lease)
            if error := failure(destroy, orphan):
                results.errors[orphan.model] = error
            else:
                pruned.append(orphan.model)
    _show(results, pruned, args, console)
    return results.exit_code


def _orphans(models: Models) -> list[tuple[Connection, Deletion]]:
    # Imported on use: an apply with nothing to do takes longer to load than to run.
    from clarifai_build.cli.pruning import orphans_in

    return orphans_in(models.connected)


def _saved(args: Namespace) -> SavedPlan | None:
    """Read the plan file, if that is what is to be applied, and do as it was made."""
    names: list[str] = args.manifests
    if not any(name.endswith(".json") for name in names):
        return None
    from clarifai_build.deploy import saved_plan

    if len(names) > 1:
        raise UsageError.of("usage", "a plan file is applied alone, without other arguments")
    saved = saved_plan.load(Path(names[0]))
    args.manifests = list(saved.states)
    # A plan holds only for the options it was made with.
    args.sandbox, args.adopt, args.prune = saved.sandbox, saved.adopt, bool(saved.prune)
    return saved


def _apply(
    connection: Connection,
    args: Namespace,
    approval: Approval,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> Applied:
    options = ApplyOptions(
        adopt=args.adopt,
        lease=not args.no_lease,
        waiting=Waiting(not args.no_wait, args.timeout),
        approve=lambda plan: approval.of_plan(connection.name, plan),
        id=approval.id,
        cancel=cancel,
    )
    if args.locked:
        check_lock(connection.manifest)
    return connection.apply(options, progress)


def _show(
    results: Results[Applied],
    pruned: Sequence[str],
    args: Namespace,
    console: Console,
) -> None:
    done = [(connection.name, applied) for connection, applied in results.done]
    errors = results.errors
    if args.json:
        console.json(
            {
                "models": [_document(name, applied) for name, applied in done],
                "pruned": list(pruned),
                "errors": [error_json(name, error) for name, error in errors.items()],
            }
        )
        return
    report_errors(errors, console)
    if len(done) + len(errors) == 1:
        console.out(_sentence(done[0][1]))
    else:
        rows = [_row(name, applied) for name, applied in done]
        # Failed models stand in the table, their reasons above it.
        rows += [(name, "", "failed", "", error.problems[0].code) for name, error in errors.items()]
        console.out_lines(table(("MANIFEST", "MODEL", "RESULT", "VERSION", "STATUS"), sorted(rows)))
    for model in pruned:
        console.out(f"{model}: destroyed")


def _sentence(applied: Applied) -> str:
    model, version = applied.plan.registration.model.id, applied.version
    if applied.plan.actions:
        return f"{model}: version {version.id} is {version.health}"
    return f"{model}: nothing to do, version {version.id} is up to date"


def _row(name: str, applied: Applied) -> tuple[str, ...]:
    result = "applied" if applied.plan.actions else "unchanged"
    version = applied.version
    return name, applied.plan.registration.model.id, result, version.id, version.health


def _document(name: str, applied: Applied) -> dict[str, Any]:
    registration = applied.plan.registration
    return {
        "manifest": name,
        "model": registration.model.id,
        "version": applied.version.id,
        "status": applied.version.health,
        "artifact_digest": registration.artifact_digest,
        "url": redact_url(applied.url),
        "actions": [action.kind for action in applied.plan.actions],
    }
