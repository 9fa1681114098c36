"""Arguments that several commands take: manifests, --sandbox, --locked, --timeout."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from clarifai_build.manifest.types import FILE_NAME

DEFAULT_MANIFEST = Path(FILE_NAME)
# Models at once: most of the time, each waits for the network or the platform.
JOBS = 4
DAY_SECONDS = 24 * 3600


def add_manifest(parser: ArgumentParser) -> None:
    """Add the argument of one manifest."""
    parser.add_argument(
        "manifest",
        nargs="?",
        type=Path,
        default=DEFAULT_MANIFEST,
        metavar="MANIFEST",
        help="the manifest (default: clarifai.yaml)",
    )


def add_manifests(parser: ArgumentParser) -> None:
    """Add the arguments of many manifests."""
    parser.add_argument(
        "manifests",
        nargs="*",
        default=[str(DEFAULT_MANIFEST)],
        metavar="MANIFEST",
        help="manifests, folders that hold some, or globs (default: clarifai.yaml)",
    )
    parser.add_argument(
        "--jobs",
        type=_positive,
        default=JOBS,
        metavar="N",
        help=f"how many models at a time (default: {JOBS})",
    )


def add_sandbox(parser: ArgumentParser) -> None:
    """Add the option that swaps the cloud for engines on this machine."""
    parser.add_argument(
        "--sandbox",
        action="store_true",
        help="use the local sandbox (S3, Clarifai API, Triton), starting it if need be",
    )


def add_locked(parser: ArgumentParser) -> None:
    """Add the option that holds a build to its lock."""
    parser.add_argument(
        "--locked",
        action="store_true",
        help="refuse when clarifai.lock is missing or out of date",
    )


def add_waiting(parser: ArgumentParser, until: str) -> None:
    """Add the options of how long a version is waited for; `until` says when `--no-wait` ends."""
    from clarifai_build.deploy.wait import TIMEOUT_SECONDS

    parser.add_argument("--no-wait", action="store_true", help=f"return once {until}")
    parser.add_argument(
        "--timeout",
        type=float,
        default=TIMEOUT_SECONDS,
        metavar="SECONDS",
        help=f"how long to wait for the platform (default: {TIMEOUT_SECONDS:.0f})",
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
