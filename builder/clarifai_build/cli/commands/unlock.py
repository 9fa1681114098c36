"""Take the lease of a model away from an apply that died without giving it back.

Leases expire by themselves a minute after the last renewed. An apply that is still alive stops
at its next step when its lease is gone.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from clarifai_build.cli.arguments import add_manifests, add_sandbox
from clarifai_build.cli.console import Console
from clarifai_build.connection import connect_all


def configure(parser: ArgumentParser) -> None:
    add_manifests(parser)
    add_sandbox(parser)


def run(args: Namespace, console: Console) -> int:
    from clarifai_build.cli.tables import report_errors
    from clarifai_build.deploy import fleet

    found = connect_all(args.manifests, sandbox=args.sandbox, progress=console.progress())
    for connection in found.connections:
        model, holder = connection.manifest.model.id, connection.unlock()
        console.out(f"{model}: taken from {holder}" if holder else f"{model}: not leased")
    report_errors(found.errors, console)
    return fleet.exit_code(list(found.errors.values()))
