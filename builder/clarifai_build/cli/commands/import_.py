"""Make a manifest from a Triton repository, a clarifai_config.yaml, or a folder for runners.

The manifest is written beside what is there; nothing that exists is touched.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from clarifai_build.cli.console import Console
from clarifai_build.errors import ManifestError, UsageError
from clarifai_build.legacy.importer import import_folder
from clarifai_build.manifest.types import FILE_NAME
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.scaffold import write_missing
from clarifai_build.util.small_files import read_small
from clarifai_build.validation.load import examine


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), help="the model's folder")
    parser.add_argument(
        "--type", choices=list(MODEL_TYPES), metavar="TYPE", help="where nothing tells the type"
    )


def run(args: argparse.Namespace, console: Console) -> int:
    """Write the manifest, say what was left out, and check the result."""
    manifest = args.folder / FILE_NAME
    if manifest.exists():
        raise _already_there(manifest)
    imported = import_folder(args.folder, args.type)
    for name, content in imported.files.items():
        # One of an earlier import would say what the folder said then.
        if _differs(args.folder / name, content.encode()):
            raise _already_there(args.folder / name)
    written = write_missing(args.folder, imported.all_files())
    for name in written.new:
        console.out(str(args.folder / name))
    for note in imported.notes:
        console.err(f"not carried over: {note}")
    # What was imported may be wrong by today's rules: the user sees it at once.
    problems = examine(manifest, os.environ, offline=True).problems
    if problems:
        console.problems(problems)
    failed = any(problem.severity == "error" for problem in problems)
    return ManifestError.exit_code if failed else 0


def _already_there(file: Path) -> UsageError:
    return UsageError.of("already-there", f"{file} exists", hint="remove it to import anew")


def _differs(file: Path, content: bytes) -> bool:
    try:
        return read_small(file, len(content)) != content
    except FileNotFoundError:
        return False
    except OSError:
        return True
