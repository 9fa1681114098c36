"""Run the model's tests, 1/test.py: the predefined ones, and those added to it.

They take the path that serves: what the target would refuse, hang on or pad shows here. The tests
run in an environment made from the model's requirements, which is kept for the next time.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from clarifai_build.cli.arguments import add_manifest
from clarifai_build.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    add_manifest(parser)
    server = parser.add_mutually_exclusive_group()
    server.add_argument(
        "--triton",
        dest="server",
        action="store_const",
        const="triton",
        help="ask a real Triton server (installed on first use) instead of a stand-in",
    )
    server.add_argument(
        "--runner",
        dest="server",
        action="store_const",
        const="runner",
        help="with target runner: ask Clarifai's own server, on this machine alone",
    )


def run(args: Namespace, console: Console) -> int:
    from clarifai_build import model_tests
    from clarifai_build.pipeline import build
    from clarifai_build.validation.load import load

    manifest = load(args.manifest, os.environ, offline=True)
    if args.server not in (None, manifest.target):
        from clarifai_build.errors import UsageError

        raise UsageError.of("usage", f"--{args.server}: the manifest has target {manifest.target}")
    progress = console.progress()
    artifact = build(manifest, progress)
    tests = {
        None: model_tests.run_tests,
        "triton": model_tests.run_tests_in_triton,
        "runner": model_tests.run_tests_in_runner,
    }
    test = tests[args.server]

    def show(line: str) -> None:
        console.out(line)
        console.flush()

    # A person may stop in a debugger; a log is read by a CI service, and kept.
    if test(manifest, artifact, progress, None if console.attended else show):
        return 0
    console.err("the model's tests failed: see above")
    return 1
