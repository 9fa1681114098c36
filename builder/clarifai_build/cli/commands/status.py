"""Show whether what is live is what the manifests say, and whether it works.

sync: Synced, OutOfSync or Unknown. health: Healthy, Progressing, Degraded, Missing or Unknown.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from clarifai_build.cancellation import CancelToken
from clarifai_build.cli.arguments import DAY_SECONDS, add_manifests, add_sandbox
from clarifai_build.cli.console import Console
from clarifai_build.cli.fleet_command import Models, Results
from clarifai_build.connection import Connected, Connection
from clarifai_build.progress import ProgressCallback

if TYPE_CHECKING:
    from clarifai_build.deploy.status import Status


def configure(parser: ArgumentParser) -> None:
    add_manifests(parser)
    add_sandbox(parser)
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.add_argument("--watch", action="store_true", help="show it again as it changes")
    parser.add_argument(
        "--interval",
        type=_seconds,
        default=5.0,
        metavar="SECONDS",
        help="how often --watch looks (default: 5)",
    )


def run(args: Namespace, console: Console) -> int:
    console.json_errors = args.output == "json"
    shown: list[Status] | None = None
    while True:
        models = Models(args.manifests, args, console)
        results = models.each(partial(_status, cancel=models.cancel))
        statuses = _statuses(results, models.connected)
        if statuses != shown:
            _show(statuses, args.output, console)
            # Into a pipe, output would else appear only when its buffer is full.
            console.flush()
            shown = statuses
        # A pipe that was closed (`| head`) ends the watch.
        if not args.watch or not console.heard:
            return results.exit_code
        time.sleep(args.interval)


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 <= float(text) <= DAY_SECONDS:
            return float(text)
    raise ArgumentTypeError(f"'{text}' is not a number of seconds from 0 to {DAY_SECONDS}")


def _statuses(results: Results[Status], found: Connected) -> list[Status]:
    """Return those of all manifests, the ones that could not be looked at included."""
    from clarifai_build.deploy.status import unknown

    models = {one.name: one.manifest.model.id for one in found.connections}
    failed = [unknown(name, models.get(name, ""), e) for name, e in results.errors.items()]
    known = [status for _, status in results.done]
    return sorted([*known, *failed], key=lambda status: status.manifest)


def _status(connection: Connection, _progress: ProgressCallback, *, cancel: CancelToken) -> Status:
    from clarifai_build.deploy.status import status_of

    # adopt: a model made otherwise is shown as it is, not refused.
    plan = connection.plan(adopt=True, cancel=cancel)
    return status_of(connection.name, plan, connection.canary(plan))


def _show(statuses: Sequence[Status], output: str, console: Console) -> None:
    from clarifai_build.cli.tables import table

    if output == "json":
        console.json({"models": [asdict(status) for status in statuses]})
        return
    head = ("MANIFEST", "MODEL", "SYNC", "HEALTH", "VERSION")
    rows = [(s.manifest, s.model, s.sync, s.health, s.version) for s in statuses]
    console.out_lines(table(head, rows))
    for status in statuses:
        for condition in status.conditions:
            name = status.model or status.manifest
            console.out(f"  {name}: {condition.type} {condition.status}: {condition.message}")
