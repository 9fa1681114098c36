"""Build the artifact: a zip whose bytes follow from its content alone."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from clarifai_build.cli.console import Console
from clarifai_build.cli.target import add_manifest


def configure(parser: ArgumentParser) -> None:
    add_manifest(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="ZIP",
        help="the zip (default: dist/MODEL_ID_MODEL-TYPE.zip beside the manifest)",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: Namespace, console: Console) -> int:
    from clarifai_build.manifest import load
    from clarifai_build.pack import write_zip
    from clarifai_build.pipeline import build

    console.json_errors = args.json
    manifest = load(args.manifest, os.environ, offline=True)
    name = f"{manifest.model.id}_{manifest.model.type}.zip"
    target = args.output or manifest.path.parent / "dist" / name
    listen = console.listener()
    artifact = build(manifest, listen)
    written = write_zip(artifact, target, listen)
    if args.json:
        console.json(
            {
                "path": str(written.path),
                "digest": written.digest,
                "sha256": written.sha256,
                "size": written.size,
                "files": [
                    {"path": entry.path, "size": entry.size, "sha256": entry.sha256}
                    for entry in artifact.tree.entries
                ],
            }
        )
        return 0
    for entry in artifact.tree.entries:
        console.out(f"{entry.size:>12}  {entry.path}")
    console.out(f"tree    {written.digest}")
    console.out(f"sha256  {written.sha256}")
    console.out(f"size    {written.size}")
    console.out(f"path    {written.path}")
    return 0
