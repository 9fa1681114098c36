"""List what is cached on this machine, or remove what was not used for a while."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from clarifai_build.cli.arguments import DAY_SECONDS
from clarifai_build.cli.console import Console

if TYPE_CHECKING:
    from clarifai_build.cli.cache_entries import CacheEntry


def configure(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|prune")
    listing = actions.add_parser("list", help="list cached files: size, days unused, path")
    prune = actions.add_parser("prune", help="remove cached files that were not used for a while")
    prune.add_argument(
        "--unused-days",
        type=int,
        # Everything: all of it can be made or fetched again.
        default=0,
        metavar="DAYS",
        help="keep what was used in the last DAYS days (default: 0, remove all)",
    )
    for action in (listing, prune):
        action.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: Namespace, console: Console) -> int:
    from clarifai_build.cli import cache_entries

    if args.action == "prune":
        files = cache_entries.prune(args.unused_days * DAY_SECONDS)
        verb = "removed"
    else:
        files = cache_entries.find()
        verb = "cached"
    total = sum(file.size for file in files)
    if args.json:
        console.json({"bytes": total, "files": [_as_json(file) for file in files]})
        return 0
    for file in files:
        console.out(f"{file.size:>14}  {file.unused // DAY_SECONDS:>4}  {file.path}")
    console.err(f"{verb}: {len(files)} files, {total} bytes")
    return 0


def _as_json(file: CacheEntry) -> dict[str, object]:
    return {"path": str(file.path), "size": file.size, "unused_seconds": file.unused}
