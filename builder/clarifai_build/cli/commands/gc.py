"""Remove published artifacts that no version of the app refers to, with their provenance.

Artifacts younger than the grace period stay. One that another app may use stays, too, and goes with
the last app that is done with it. Records of verified weights go when the weight is gone, or no
artifact holds it any more. Works on the whole bucket prefix of a manifest, whichever models still
have one.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from clarifai_build.cli.approval import Approval
from clarifai_build.cli.arguments import DAY_SECONDS, add_manifest, add_sandbox
from clarifai_build.cli.console import Console
from clarifai_build.connection import connect
from clarifai_build.errors import LeaseHeldError, StorageError

if TYPE_CHECKING:
    from clarifai_build.deploy.gc.artifacts import Decision
    from clarifai_build.deploy.gc.weight_records import StaleRecord

_RELEASE = "only this app's claim on it"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": DAY_SECONDS}


def configure(parser: argparse.ArgumentParser) -> None:
    add_manifest(parser)
    add_sandbox(parser)
    parser.add_argument("--dry-run", action="store_true", help="say what would go, remove nothing")
    parser.add_argument(
        "--grace",
        type=_duration,
        # A week: an artifact is uploaded before its version exists, and rollbacks want last week's.
        default=7.0 * DAY_SECONDS,
        metavar="TIME",
        help="keep what is younger: 30m, 24h, 7d (default: 7d)",
    )
    parser.add_argument(
        "--yes", action="store_true", help="remove without asking; needed without a terminal"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace, console: Console) -> int:
    from clarifai_build.deploy.gc.artifacts import DELETING, Bucket, collect, plan_gc
    from clarifai_build.deploy.gc.weight_records import plan_weights, remove_weights

    console.json_errors = args.json
    progress = console.progress()
    connection = connect(args.manifest, sandbox=args.sandbox, progress=progress)
    prefix = connection.manifest.destination.prefix
    bucket = Bucket(connection.store(), connection.registry, prefix, args.grace)
    decisions = plan_gc(bucket)
    weights = plan_weights(bucket.store, prefix, args.grace, connection.other_bucket)
    deletion = [
        f"  - {one.stored.folder}" + (f"  ({_RELEASE})" if one.action == "release" else "")
        for one in decisions
        if one.action in DELETING
    ]
    deletion += [f"  - {one.key}  ({one.reason})" for one in weights]
    if deletion and not args.dry_run:
        Approval(console, None, yes=args.yes).ask(deletion)
        decisions = collect(bucket, decisions, progress)
        remove_weights(bucket.store, weights, progress)
    _show(decisions, weights, args, console)
    return _left_over(decisions, console)


def _show(
    decisions: Sequence[Decision],
    weights: Sequence[StaleRecord],
    args: argparse.Namespace,
    console: Console,
) -> None:
    from clarifai_build.cli.tables import table
    from clarifai_build.util.text import short, size_text

    if args.json:
        console.json(
            {
                "artifacts": [
                    {
                        "folder": one.stored.folder,
                        "artifact_digest": one.stored.artifact_digest,
                        "size": one.stored.size,
                        "action": one.action,
                        "reason": one.reason,
                    }
                    for one in decisions
                ],
                "weights": [
                    {**one._asdict(), "action": "remove" if args.dry_run else "removed"}
                    for one in weights
                ],
            }
        )
        return
    rows = [
        (short(one.stored.artifact_digest), size_text(one.stored.size), one.action, one.reason)
        for one in decisions
    ]
    if rows:
        console.out_lines(table(("DIGEST", "SIZE", "ACTION", "REASON"), rows))
    done = [one for one in decisions if one.action in ("remove", "removed")]
    released = sum(one.action in ("release", "released") for one in decisions)
    total = size_text(sum(one.stored.size for one in done))
    console.err(
        f"{len(done)} artifacts, {total}, {'would go' if args.dry_run else 'removed'}"
        + (f"; {released} left to other apps" if released else "")
        + (f"; {len(weights)} records of weights" if weights else "")
    )


def _left_over(decisions: Sequence[Decision], console: Console) -> int:
    """Say what was to be removed and was not, and return the exit code."""
    unsafe = sum(one.action == "unsafe" for one in decisions)
    leased = sum(one.action == "leased" for one in decisions)
    if unsafe:
        console.err(
            f"{unsafe} artifacts were not removed: this store keeps no leases, so an apply could "
            "be about to register them; remove their folders by hand while nothing is applied"
        )
        return StorageError.exit_code
    if leased:
        console.err(f"{leased} artifacts were not removed: run gc again once their models are free")
        return LeaseHeldError.exit_code
    return 0


def _duration(text: str) -> float:
    match = re.fullmatch(rf"(\d+)([{''.join(_SECONDS)}])", text)
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is not a duration such as 30m, 24h or 7d")
    return float(match[1]) * _SECONDS[match[2]]
