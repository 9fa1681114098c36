"""Write the Triton model repository of a manifest to a folder, code and weights included.

The folder must not exist yet, or be empty: nothing is overwritten.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from clarifai_build.cli.arguments import add_manifest
from clarifai_build.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    add_manifest(parser)
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="the folder (default: dist/MODEL_ID)"
    )


def run(args: Namespace, console: Console) -> int:
    from clarifai_build.artifact.folder_writer import write_folder
    from clarifai_build.pipeline import build
    from clarifai_build.source.build_records import OUTPUT_FOLDER
    from clarifai_build.validation.load import load

    manifest = load(args.manifest, os.environ, offline=True)
    target = args.output or manifest.path.parent / OUTPUT_FOLDER / manifest.model.id
    progress = console.progress()
    write_folder(build(manifest, progress).tree, target)
    console.out(str(target))
    return 0
