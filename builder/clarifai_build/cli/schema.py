"""Print the JSON Schema of a manifest, for editors and other tools."""

from __future__ import annotations

import argparse

from clarifai_build import resources
from clarifai_build.cli.console import Console


def configure(_parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments: there are none."""


def run(_args: argparse.Namespace, console: Console) -> int:
    """Write the schema to stdout."""
    console.out(resources.schema_text().rstrip())
    return 0
