"""Start, stop or look at the local sandbox: a real S3, a Clarifai API and a real Triton.

'up' prints export lines that lead boto3 and the Clarifai clients to it:
  eval "$(clarifai-build sandbox up)"
'down' stops everything and keeps the data.
"""

from __future__ import annotations

import argparse
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clarifai_build.cli.console import Console
from clarifai_build.sandbox.endpoints import MISLEADING, Endpoints, Status
from clarifai_build.sandbox.engines.processes import past_proxies


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("action", choices=("up", "down", "status"))
    parser.add_argument(
        "--state",
        metavar="DIR",
        type=Path,
        help="its folder (default: $CLARIFAI_BUILD_SANDBOX, else one in the user's cache)",
    )
    parser.add_argument(
        "--foreground", action="store_true", help="with 'up': stay, and stop it on Ctrl-C"
    )
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")


def run(args: argparse.Namespace, console: Console) -> int:
    """Run the action."""
    console.json_errors = args.output == "json"
    if args.foreground and args.action != "up":
        from clarifai_build.errors import UsageError

        raise UsageError.of("usage", "--foreground goes with 'up' only")
    actions = {"up": _up, "down": _down, "status": _status}
    return actions[args.action](args, console)


def _up(args: argparse.Namespace, console: Console) -> int:
    from clarifai_build.sandbox import lifecycle

    endpoints = lifecycle.up(args.state, console.progress(), attached=args.foreground)
    _show(endpoints, args.output, console)
    if args.foreground:
        console.err("running; Ctrl-C stops it")
        lifecycle.wait(args.state)
    return 0


def _down(args: argparse.Namespace, console: Console) -> int:
    from clarifai_build.sandbox import lifecycle

    stopped = lifecycle.down(args.state, console.progress())
    if args.output == "json":
        console.json({"stopped": stopped})
    elif not stopped:
        console.err("the sandbox does not run")
    return 0


def _status(args: argparse.Namespace, console: Console) -> int:
    from clarifai_build.sandbox import lifecycle

    status = lifecycle.status(args.state)
    if args.output == "json":
        console.json(_plain(status), with_secrets=True)
        return 0
    console.err(_sentence(status))
    if status.endpoints is not None:
        _show(status.endpoints, args.output, console)
    return 0


def _show(endpoints: Endpoints, output: str, console: Console) -> None:
    if output == "json":
        console.json(_plain(endpoints), with_secrets=True)
        return
    console.err(f"S3      {endpoints.s3_endpoint}   buckets {endpoints.bucket} (public)")
    console.err(f"        and {endpoints.private_bucket} (they may not)")
    console.err(f"API     {endpoints.api_base}   user {endpoints.user_id}, app {endpoints.app_id}")
    console.err(f"Triton  {endpoints.triton}   (gRPC)")
    console.err(f"Folder  {endpoints.state_dir}   (data and logs)")
    # Only these lines go to standard output: they are for `eval`.
    console.out(f"unset {' '.join(MISLEADING)}")
    for name, value in {**endpoints.environ(), **past_proxies()}.items():
        console.out(f"export {name}={shlex.quote(value)}", with_secrets=True)


def _sentence(status: Status) -> str:
    words = {
        "running": f"the sandbox runs (process {status.pid})",
        "starting": f"the sandbox is starting: {status.message}",
        "stopped": "the sandbox does not run; 'clarifai-build sandbox up' starts it",
        "failed": f"the sandbox failed: {status.message}",
        "crashed": "the sandbox was killed; 'clarifai-build sandbox up' starts it again",
    }
    return words[status.state]


def _plain(value: Endpoints | Status) -> dict[str, Any]:
    plain = asdict(value)
    plain["state_dir"] = str(value.state_dir)
    if isinstance(value, Status) and value.endpoints is not None:
        plain["endpoints"] = _plain(value.endpoints)
    return plain
