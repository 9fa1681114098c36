"""The console scripts of clarifai 9.7 to 10.0, with their options, over this library."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from clarifai_build.cli.console import Console
from clarifai_build.cli.main import Parser, guarded
from clarifai_build.errors import UsageError
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.repository_layout import CONFIG, INFERENCE, SERVING, TESTS, VERSION


def upload_init(argv: Sequence[str] | None = None) -> int:
    """Run `clarifai-model-upload-init`: a Triton repository to start from."""
    parser = Parser("clarifai-model-upload-init", description=upload_init.__doc__)
    parser.add_argument("--model_name", required=True, help="the model's name")
    parser.add_argument("--model_version", default=VERSION, help="the version folder; always 1")
    parser.add_argument("--model_type", required=True, choices=list(MODEL_TYPES), metavar="TYPE")
    parser.add_argument("--image_shape", default="-1, -1", help='"H, W" (default: any)')
    parser.add_argument("--repo_dir", required=True, type=Path, help="where the folder is made")
    parser.add_argument("--max_bs", type=int, default=1, help="the largest batch (default: 1)")
    args = parser.parse_args(argv)
    return guarded(lambda console: _upload_init(args, console))


def triton_zip(argv: Sequence[str] | None = None) -> int:
    """Run `clarifai-triton-zip`: the artifact of a Triton repository."""
    parser = Parser("clarifai-triton-zip", description=triton_zip.__doc__)
    parser.add_argument("--triton_model_repository", required=True, type=Path)
    parser.add_argument(
        "--zipfile_name", required=True, type=Path, help="MODEL-ID_MODEL-TYPE, with .zip or without"
    )
    args = parser.parse_args(argv)
    return guarded(lambda console: _triton_zip(args, console))


def upload_model(argv: Sequence[str] | None = None) -> int:
    """Run `clarifai-upload-model`: register the archive at a URL with Clarifai."""
    parser = Parser("clarifai-upload-model", description=upload_model.__doc__)
    parser.add_argument("--url", required=True, help="where everyone can download the archive")
    parser.add_argument("--model_id", default="", help="default: from the URL's file name")
    parser.add_argument("--model_type", default="", choices=["", *MODEL_TYPES], metavar="TYPE")
    parser.add_argument("--desc", default="", help="a description")
    parser.add_argument(
        "--update_version", action="store_true", help="add a version to a model that has one"
    )
    parser.add_argument("--infer_param", type=Path, help="a JSON file of inference parameters")
    args = parser.parse_args(argv)
    return guarded(lambda console: _upload_model(args, console))


def _upload_init(args: argparse.Namespace, console: Console) -> int:
    from clarifai_build.cli.image_shape import read_image_shape
    from clarifai_build.legacy import commands
    from clarifai_build.scaffold import write_missing

    # The option is kept, so that scripts which pass its default still run.
    if args.model_version != VERSION:
        raise UsageError.of(
            "model-version",
            "artifacts have one version folder, and it is 1",
            hint="leave --model_version out",
        )
    if args.max_bs < 1:
        raise UsageError.of("out-of-range", "--max_bs has to be at least 1")
    image = read_image_shape(args.image_shape)
    files = commands.repository_files(args.model_name, args.model_type, image, args.max_bs)
    folder: Path = args.repo_dir / args.model_name
    if image != (-1, -1) or args.max_bs != 1:
        # Who gives a shape or a batch size wants it: what holds these is generated anew.
        for name in (CONFIG, SERVING):
            (folder / name).unlink(missing_ok=True)
    for name in write_missing(folder, files).kept:
        console.err(f"kept as it is: {folder / name}")
    console.out(str(folder))
    console.err(f"next: edit {folder / INFERENCE}, then pytest {folder / TESTS}")
    return 0


def _triton_zip(args: argparse.Namespace, console: Console) -> int:
    from clarifai_build.artifact.packing.zip_writer import write_zip
    from clarifai_build.legacy import commands
    from clarifai_build.pipeline import build

    target: Path = args.zipfile_name
    if target.suffix != ".zip":
        target = target.with_name(target.name + ".zip")
    progress = console.progress()
    with commands.manifest_of(args.triton_model_repository, os.environ) as (manifest, imported):
        for note in imported.notes:
            console.err(f"not carried over: {note}")
        written = write_zip(build(manifest, progress), target, progress)
    console.out(str(written.path))
    return 0


def _upload_model(args: argparse.Namespace, console: Console) -> int:
    from clarifai_build.legacy import commands
    from clarifai_build.manifest import settings
    from clarifai_build.manifest.types import Clarifai
    from clarifai_build.registry.clarifai import open_registry

    upload = commands.Upload.of(args.url, args.model_id, args.model_type, args.desc)
    params = commands.params_from(args.infer_param) if args.infer_param else ()
    upload = replace(upload, params=params, update=args.update_version)
    registry = open_registry(Clarifai(), settings.merged(os.environ))
    version = commands.register(upload, registry, console.progress())
    console.out(version.id)
    console.err(f"version {version.id} of '{upload.model.id}' is ready")
    return 0
