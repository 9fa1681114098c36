"""Show what apply would do. Nothing is changed."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from clarifai_build.cli.console import Console
from clarifai_build.cli.target import add_manifest, add_sandbox, resolve


def configure(parser: ArgumentParser) -> None:
    add_manifest(parser)
    add_sandbox(parser)
    parser.add_argument("--adopt", action="store_true", help="take over a model made otherwise")
    parser.add_argument(
        "--detailed-exitcode", action="store_true", help="exit with 2 when there is something to do"
    )


def run(args: Namespace, console: Console) -> int:
    from clarifai_build import pipeline
    from clarifai_build.plan_report import plan_text

    listen = console.listener()
    target = resolve(args, listen)
    artifact = pipeline.build(target.manifest, listen)
    planned = pipeline.plan(
        target.manifest, artifact, target.store(), target.registry(), adopt=args.adopt
    )
    console.out(plan_text(planned))
    return 2 if planned.actions and args.detailed_exitcode else 0
