"""Make live what the manifest says: build, upload, register, and wait until it is ready.

Applying again with nothing changed does nothing.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from clarifai_build.cli.console import Console
from clarifai_build.cli.target import add_manifest, add_sandbox, resolve


def configure(parser: ArgumentParser) -> None:
    add_manifest(parser)
    add_sandbox(parser)
    parser.add_argument("--adopt", action="store_true", help="take over a model made otherwise")
    parser.add_argument(
        "--no-wait", action="store_true", help="return once the version is registered"
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=1800.0,
        metavar="SECONDS",
        help="how long to wait for the platform (default: 1800)",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: Namespace, console: Console) -> int:
    from clarifai_build import pipeline

    console.json_errors = args.json
    listen = console.listener()
    target = resolve(args, listen)
    applied = pipeline.apply(
        target.manifest,
        target.store(),
        target.registry(),
        adopt=args.adopt,
        waiting=pipeline.Waiting(not args.no_wait, args.timeout),
        listen=listen,
    )
    actions = [action.kind for action in applied.plan.actions]
    model = applied.plan.registration.model
    if args.json:
        console.json(
            {
                "model": model.id,
                "version": applied.version.id,
                "status": applied.version.health,
                "digest": applied.plan.registration.artifact,
                "url": applied.url,
                "actions": actions,
            }
        )
    elif actions:
        console.out(f"{model.id}: version {applied.version.id} is {applied.version.health}")
    else:
        console.out(f"{model.id}: nothing to do, version {applied.version.id} is up to date")
    return 0
