"""Show the resolved manifest: every value, and where it came from. Secrets are shown as ***."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from clarifai_build.cli.console import Console
from clarifai_build.errors import ManifestError
from clarifai_build.manifest.types import FILE_NAME
from clarifai_build.validation.load import examine
from clarifai_build.validation.resolved_settings import ResolvedSetting, settings
from clarifai_build.validation.schema_messages import dotted


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("manifest", nargs="?", type=Path, default=Path(FILE_NAME))
    parser.add_argument(
        "--show", action="store_true", help="show the values; what the command does anyway"
    )
    parser.add_argument("-o", "--output", choices=["text", "json"], default="text")


def run(args: argparse.Namespace, console: Console) -> int:
    """Write the settings to stdout, and the problems, if any, to stderr."""
    console.json_errors = args.output == "json"
    examined = examine(args.manifest, os.environ, offline=True)
    if examined.errors:
        raise ManifestError(*examined.errors)
    shown = list(settings(examined, os.environ))
    if args.output == "json":
        console.json(
            [{"path": _path(one), "value": one.value, "origin": one.origin} for one in shown]
        )
        return 0
    lines = [f"{_path(one)} = {json.dumps(one.value, ensure_ascii=False)}" for one in shown]
    # Columns: one long value should not push every origin off the screen.
    width = min(max(map(len, lines)), 60)
    for line, one in zip(lines, shown, strict=True):
        console.out(f"{line:<{width}}  # {one.origin}")
    return 0


def _path(one: ResolvedSetting) -> str:
    return dotted(one.path).strip("'")
