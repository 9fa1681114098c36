"""Destroy a model: the versions that this tool registered, and the model itself where that is all.

A runner's deployment goes first. What another tool registered stays. Artifacts stay in the bucket
until `gc` removes them.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from clarifai_build.cli.approval import Approval
from clarifai_build.cli.arguments import add_manifest, add_sandbox
from clarifai_build.cli.console import Console
from clarifai_build.connection import connect


def configure(parser: ArgumentParser) -> None:
    add_manifest(parser)
    add_sandbox(parser)
    parser.add_argument(
        "--yes", action="store_true", help="destroy without asking; needed without a terminal"
    )
    parser.add_argument(
        "--no-lease",
        action="store_true",
        help="do not keep applies of the same model away meanwhile",
    )


def run(args: Namespace, console: Console) -> int:
    from clarifai_build.deploy.destroy import plan_deletion

    progress = console.progress()
    connection = connect(args.manifest, sandbox=args.sandbox, progress=progress)
    model = connection.manifest.model.id
    deletion = plan_deletion(connection.registry, model)
    # Not an error, so that it may be run again.
    if deletion is None:
        console.out(f"{model}: nothing to destroy, nothing there was made by clarifai-build")
        return 0
    shown = [f"  - destroy version {version}" for version in deletion.versions]
    if deletion.deployment:
        shown.insert(0, f"  - destroy deployment {deletion.deployment}")
    whole = f"  - destroy model {model}"
    kept = f"    model {model} stays: it has versions that clarifai-build did not make"
    Approval(console, None, yes=args.yes).ask([*shown, whole if deletion.whole else kept])
    connection.destroy(deletion, progress, lease=not args.no_lease)
    kept_too = "; `clarifai-build gc` removes its artifacts from the bucket"
    console.out(f"{model}: destroyed{kept_too if connection.manifest.is_kept else ''}")
    return 0
