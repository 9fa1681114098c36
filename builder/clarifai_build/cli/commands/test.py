"""Run the model's tests, 1/test.py: the predefined ones, and those added to it.

They take the path that serves: what Triton would refuse, hang on or pad shows here. The tests run
in an environment made from the model's requirements, which is kept for the next time.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from clarifai_build.cli.arguments import add_manifest
from clarifai_build.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    add_manifest(parser)
    parser.add_argument(
        "--triton",
        action="store_true",
        help="ask a real Triton server (installed on first use) instead of a stand-in",
    )


def run(args: Namespace, console: Console) -> int:
    from clarifai_build import model_tests
    from clarifai_build.pipeline import build
    from clarifai_build.validation.load import load

    manifest = load(args.manifest, os.environ, offline=True)
    progress = console.progress()
    artifact = build(manifest, progress)
    test = model_tests.run_tests_in_triton if args.triton else model_tests.run_tests

    def show(line: str) -> None:
        console.out(line)
        console.flush()

    # A person may stop in a debugger; a log is read by a CI service, and kept.
    if test(manifest, artifact, progress, None if console.attended else show):
        return 0
    console.err("the model's tests failed: see above")
    return 1
