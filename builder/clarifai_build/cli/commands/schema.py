"""Print the JSON Schema of a manifest, or of a plan, for editors and other tools."""

from __future__ import annotations

import argparse

from clarifai_build import resources
from clarifai_build.cli.console import Console


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "document",
        nargs="?",
        choices=("manifest", "plan"),
        default="manifest",
        help="of clarifai.yaml, or of what `plan --json` prints (default: manifest)",
    )


def run(args: argparse.Namespace, console: Console) -> int:
    """Write the schema to stdout."""
    texts = {"manifest": resources.schema_text, "plan": resources.plan_schema_text}
    console.out_lines(texts[args.document]().rstrip())
    return 0
