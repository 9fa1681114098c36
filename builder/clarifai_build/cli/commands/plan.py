"""Show what apply would do. Nothing is changed.

With --out, `clarifai-build apply PLAN.json` later does this and nothing else, or refuses.
"""

from __future__ import annotations

import json
import uuid
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from clarifai_build.cancellation import CancelToken
from clarifai_build.cli.arguments import add_manifests, add_sandbox
from clarifai_build.cli.console import Console
from clarifai_build.cli.fleet_command import Models
from clarifai_build.connection import Connection
from clarifai_build.errors import UsageError
from clarifai_build.progress import ProgressCallback

if TYPE_CHECKING:
    from clarifai_build.reports.plan import Planned


def configure(parser: ArgumentParser) -> None:
    add_manifests(parser)
    add_sandbox(parser)
    parser.add_argument("--adopt", action="store_true", help="take over models made otherwise")
    parser.add_argument(
        "--prune",
        action="store_true",
        help="include models of the same project that no manifest names any more",
    )
    parser.add_argument(
        "--detailed-exitcode", action="store_true", help="exit with 2 when there is something to do"
    )
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")
    parser.add_argument(
        "--out", type=_plan_file, metavar="PLAN.json", help="save the plan, for `apply PLAN.json`"
    )


def run(args: Namespace, console: Console) -> int:
    from clarifai_build.cli.pruning import orphans_in
    from clarifai_build.cli.tables import error_json, report_errors
    from clarifai_build.deploy import saved_plan
    from clarifai_build.reports import plan as plan_report

    console.json_errors = args.json
    if args.out:
        saved_plan.check_target(args.out)
    models = Models(args.manifests, args, console)
    results = models.each(partial(_plan, adopt=args.adopt, cancel=models.cancel))
    results.raise_if_alone()
    planned, errors = [one for _, one in results.done], results.errors
    deletion = [one for _, one in orphans_in(models.connected)] if args.prune else []
    document = plan_report.as_json(
        planned,
        deletion,
        [error_json(name, error) for name, error in errors.items()],
        # Recorded with the versions that `apply PLAN.json` registers.
        id=uuid.uuid4().hex,
        sandbox=args.sandbox,
        adopt=args.adopt,
    )
    if args.out and errors:
        console.err(f"{args.out} is not written: a plan of only some of the models is none")
    elif args.out:
        _save(args.out, json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    if args.json:
        console.json(document, with_warnings=False)  # it may be saved, and its schema is closed
    else:
        report_errors(errors, console)
        console.out_lines(plan_report.plans_text(planned, deletion))
    if errors:
        return results.exit_code
    changes = deletion or any(one.plan.actions for one in planned)
    # As Terraform's -detailed-exitcode.
    return 2 if changes and args.detailed_exitcode else 0


def _plan(
    connection: Connection, progress: ProgressCallback, *, adopt: bool, cancel: CancelToken
) -> Planned:
    from clarifai_build.deploy.saved_plan import state_of
    from clarifai_build.inspection.file_changes import file_changes
    from clarifai_build.reports.plan import Planned

    known = connection.known_contents(progress)
    artifact = connection.build(progress, known, cancel=cancel)
    plan = connection.plan(artifact, known, adopt=adopt)
    url = connection.live_url(plan)
    files = file_changes(plan, artifact.tree, url)
    return Planned(connection.name, plan, files, state_of(plan))


def _plan_file(name: str) -> Path:
    """Require .json, by which `apply` recognises a plan."""
    if not name.endswith(".json"):
        raise ArgumentTypeError(f"a plan's name ends in .json, unlike '{name}'")
    return Path(name)


def _save(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError.of(
            "plan-unwritable", f"{file} can't be written: {error.strerror}", file=str(file)
        ) from error
