"""Take the lease of a model away from an apply that died without giving it back.

Leases expire by themselves a minute after the last sign of life. An apply that is still alive stops
at its next step when its lease is gone.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from clarifai_build.cli.arguments import add_manifests, add_sandbox
from clarifai_build.cli.console import Console
from clarifai_build.cli.targets import load_targets


def configure(parser: ArgumentParser) -> None:
    add_manifests(parser)
    add_sandbox(parser)


def run(args: Namespace, console: Console) -> int:
    from clarifai_build.cli.tables import report_errors
    from clarifai_build.deploy import fleet
    from clarifai_build.storage import leases

    loaded = load_targets(args.manifests, console.progress(), sandbox=args.sandbox)
    for target in loaded.targets:
        prefix = target.manifest.destination.prefix
        model_id = target.manifest.model.id
        holder = leases.unlock(target.store(), prefix, target.registry.scope, model_id)
        console.out(f"{model_id}: taken from {holder}" if holder else f"{model_id}: not leased")
    report_errors(loaded.errors, console)
    return fleet.exit_code(list(loaded.errors.values()))
