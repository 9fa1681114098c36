"""Show whether what is live is what the manifests say, and whether it works.

sync: Synced, OutOfSync or Unknown. health: Healthy, Progressing, Degraded, Missing or Unknown.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from clarifai_build.cli.arguments import add_manifests, add_sandbox
from clarifai_build.cli.console import Console
from clarifai_build.connection import Connected, Connection, connect_all
from clarifai_build.errors import BuilderError

if TYPE_CHECKING:
    from clarifai_build.deploy.fleet import Stop
    from clarifai_build.deploy.status import Status

_DAY = 86400


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
    from clarifai_build.deploy import fleet

    console.json_errors = args.output == "json"
    stop = fleet.Stop()
    shown: list[Status] | None = None
    while True:
        found = connect_all(args.manifests, sandbox=args.sandbox, progress=console.progress())
        statuses, errors = _look(found, args.jobs, stop)
        if statuses != shown:
            _show(statuses, args.output, console)
            console.flush()
            shown = statuses
        if not args.watch or not console.heard:
            return fleet.exit_code(list(errors.values()))
        time.sleep(args.interval)


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 <= float(text) <= _DAY:
            return float(text)
    raise ArgumentTypeError(f"'{text}' is no number of seconds from 0 to {_DAY}")


def _look(
    found: Connected, jobs: int, stop: Stop
) -> tuple[list[Status], Mapping[str, BuilderError]]:
    from clarifai_build.deploy import fleet
    from clarifai_build.deploy import status as sync

    outcomes = fleet.each(found.connections, _status, jobs, stop)
    statuses = [outcome.value for outcome in outcomes if outcome.value]
    models = {o.item.name: o.item.manifest.model.id for o in outcomes}
    errors = {**found.errors, **{o.item.name: o.error for o in outcomes if o.error}}
    statuses += [sync.unknown(name, models.get(name, ""), error) for name, error in errors.items()]
    return sorted(statuses, key=lambda status: status.manifest), errors


def _status(connection: Connection) -> Status:
    from clarifai_build.deploy import status as sync

    return sync.status_of(connection.name, connection.plan(adopt=True))


def _show(statuses: Sequence[Status], output: str, console: Console) -> None:
    from clarifai_build.cli.tables import table

    if output == "json":
        console.json({"models": [asdict(status) for status in statuses]})
        return
    head = ("MANIFEST", "MODEL", "SYNC", "HEALTH", "VERSION")
    rows = [(s.manifest, s.model, s.sync, s.health, s.version) for s in statuses]
    console.out(table(head, rows))
    for status in statuses:
        for condition in status.conditions:
            name = status.model or status.manifest
            console.out(f"  {name}: {condition.type} {condition.status}: {condition.message}")
