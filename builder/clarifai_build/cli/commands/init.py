"""Start a new model: a manifest and code that validate, build and pass their tests as they are.

On a terminal, asks for what the options leave open. Files that exist are never touched.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from clarifai_build import scaffold
from clarifai_build.cli.console import Console
from clarifai_build.cli.image_shape import read_image_shape
from clarifai_build.errors import UsageError
from clarifai_build.manifest.document import read
from clarifai_build.manifest.schema import matches
from clarifai_build.manifest.types import FILE_NAME, TARGETS
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.repository_layout import INFERENCE, in_folder
from clarifai_build.validation.named_files import leaves
from clarifai_build.validation.rules import is_bucket


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path(),
        help="the model's folder (default: this one)",
    )
    parser.add_argument(
        "--type", choices=list(MODEL_TYPES), metavar="TYPE", help=f"one of {', '.join(MODEL_TYPES)}"
    )
    parser.add_argument(
        "--target",
        choices=list(TARGETS),
        default=TARGETS[0],
        help="how Clarifai serves it (default: triton)",
    )
    parser.add_argument("--id", help="the model's id (default: the folder's name)")
    parser.add_argument(
        "--image-shape", metavar="H,W", help="height and width of images (default: any)"
    )
    parser.add_argument("--bucket", help="the S3 bucket (default: $MODELS_BUCKET)")
    parser.add_argument("--endpoint-url", help="address of an S3-compatible store (default: AWS)")
    parser.add_argument("--user-id", help="Clarifai user (default: $CLARIFAI_USER_ID)")
    parser.add_argument("--app-id", help="Clarifai app (default: $CLARIFAI_APP_ID)")


def run(args: argparse.Namespace, console: Console) -> int:
    """Write what is missing, and say what to do next."""
    # In CI nobody answers: the defaults hold, and what has none is an error.
    ask = _asker(console) if console.interactive else _never
    folder: Path = args.folder
    start = _start(args, folder, ask)
    written = scaffold.write_missing(folder, scaffold.starting_files(start))
    for name in written.new:
        console.out(str(folder / name))
    for name in written.kept:
        console.err(f"kept as it is: {folder / name}")
    test = "clarifai-build test" + ("" if folder == Path() else f" {shlex.quote(str(folder))}")
    console.err(f"next: edit {folder / start.code / in_folder(INFERENCE)}, then `{test}`")
    return 0


Ask = Callable[[str, str, Callable[[str], bool]], str]


def _start(args: argparse.Namespace, folder: Path, ask: Ask) -> scaffold.Start:
    type_name = _type(args, folder, ask)
    default_id = scaffold.id_from(folder.resolve().name)
    model_id = args.id or ask("Model id", default_id, _is_id)
    shape = args.image_shape
    if shape is None and MODEL_TYPES[type_name].has_image_input:
        shape = ask("Image height,width (-1,-1 is any)", "-1,-1", _is_shape)
    bucket = args.bucket or ask("S3 bucket", scaffold.DEFAULT_BUCKET, _is_bucket)
    if not _is_id(model_id):
        raise UsageError.of("bad-value", f"'{model_id}' is not a valid Clarifai model id")
    if not _is_bucket(bucket):
        raise UsageError.of("bucket-name", f"'{bucket}' is not a valid S3 bucket name")
    for option, value, form in (
        ("--endpoint-url", args.endpoint_url, "httpUrl"),
        ("--user-id", args.user_id, "envId"),
        ("--app-id", args.app_id, "envId"),
    ):
        if value and not matches(form, value):
            raise UsageError.of("bad-value", f"{option} can't be '{value}'")
    return scaffold.Start(
        id=model_id,
        type=type_name,
        image=read_image_shape(shape) if shape else (-1, -1),
        bucket=bucket,
        endpoint_url=args.endpoint_url or "",
        user_id=args.user_id or "",
        app_id=args.app_id or "",
        code=_code(folder),
        target=args.target,
    )


def _code(folder: Path) -> str:
    """Return the folder of the code that the manifest names which is there, or else this one."""
    manifest = folder / FILE_NAME
    named = read(manifest).get("code", "path") if manifest.is_file() else None
    return named if isinstance(named, str) and not leaves(folder.resolve(), named) else "."


def _type(args: argparse.Namespace, folder: Path, ask: Ask) -> str:
    """Return the type: that of the manifest which is there, of the option, or of the answer."""
    manifest = folder / FILE_NAME
    there = read(manifest).get("model", "type") if manifest.is_file() else None
    if there in MODEL_TYPES and args.type in (None, there):
        return str(there)
    if there is not None:
        raise UsageError.of(
            "type-mismatch", f"{manifest} is for the type '{there}'", hint="leave --type out"
        )
    wanted: str = args.type or ask(f"Model type ({', '.join(MODEL_TYPES)})", "", _is_type)
    if not wanted:
        raise UsageError.of(
            "type-missing", "the model type is required", hint=f"--type {'|'.join(MODEL_TYPES)}"
        )
    return wanted


def _never(_question: str, default: str, _fits: Callable[[str], bool]) -> str:
    return default


def _asker(console: Console) -> Ask:
    def ask(question: str, default: str, fits: Callable[[str], bool]) -> str:
        suffix = f" [{default}]" if default else ""
        while True:
            console.err(f"{question}{suffix}:")
            line = sys.stdin.readline()
            # End of input, as by Ctrl-D: asking again would never end.
            if not line:
                raise UsageError.of("no-answer", "the answers ended early")
            answer = line.strip() or default
            if fits(answer):
                return answer
            console.err("  invalid value; try again")

    return ask


def _is_type(answer: str) -> bool:
    return answer in MODEL_TYPES


def _is_id(answer: str) -> bool:
    return matches("id", answer)


def _is_bucket(answer: str) -> bool:
    # Not known yet: the name comes from the environment of each command.
    return "${env:" in answer or is_bucket(answer)


def _is_shape(answer: str) -> bool:
    try:
        read_image_shape(answer)
    except UsageError:
        return False
    return True
