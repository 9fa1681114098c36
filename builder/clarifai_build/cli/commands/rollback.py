"""Make an earlier version the newest again, without a rebuild.

The artifact that was published then is proven unchanged and registered anew, a runner's sent from
the bucket to the platform; the older version of the same content goes once the new one is ready.
The manifest is not changed: revert it in Git, too, or the next apply goes forward again.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from clarifai_build.cli.approval import Approval
from clarifai_build.cli.arguments import add_manifest, add_sandbox, add_waiting
from clarifai_build.cli.console import Console
from clarifai_build.connection import connect

if TYPE_CHECKING:
    from clarifai_build.registry import RemoteVersion


def configure(parser: ArgumentParser) -> None:
    parser.add_argument(
        "version", metavar="VERSION", help="v3, an id, or how an id or a digest begins"
    )
    add_manifest(parser)
    add_sandbox(parser)
    add_waiting(parser, "it is registered; both versions stay")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: Namespace, console: Console) -> int:
    from clarifai_build.deploy.versions import LIVE, find, label
    from clarifai_build.pipeline import Waiting
    from clarifai_build.registry.consistent_reads import read_model

    console.json_errors = args.json
    progress = console.progress()
    connection = connect(args.manifest, sandbox=args.sandbox, progress=progress)
    model = connection.manifest.model.id
    _, versions = read_model(connection.registry, model)
    earlier = find(versions, args.version, model)
    # Not an error: a rollback that is run twice ends in the same place.
    if earlier == find(versions, LIVE, model):
        if args.json:
            console.json(_document(model, earlier, rollback_of=None))
        else:
            console.out(f"{model}: nothing to do, {label(earlier)} is live")
        return 0
    Approval(console, None, yes=args.yes).ask(
        [
            f"  + register the artifact of {label(earlier)} ({earlier.artifact_digest}) anew",
            f"  - then destroy version {earlier.id}, which the new one replaces",
        ]
    )
    waiting = Waiting(not args.no_wait, args.timeout)
    version = connection.roll_back(earlier, waiting, progress)
    if args.json:
        console.json(_document(model, version, rollback_of=label(earlier)))
    else:
        console.out(f"{model}: {label(version)} ({version.id}) is {version.health}")
    return 0


def _document(model: str, version: RemoteVersion, *, rollback_of: str | None) -> dict[str, Any]:
    return {
        "model": model,
        "version": version.id,
        "revision": version.revision,
        "rollback_of": rollback_of,
        "artifact_digest": version.artifact_digest,
        "status": version.health,
    }
