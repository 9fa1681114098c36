"""An apply with nothing to do: whole processes in turn, in one run, against a real S3 server.

The platform is the sandbox's API without Triton: what it has built is not what is measured here.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from local_platform import platform

from clarifai_build.sandbox import lifecycle
from clarifai_build.sandbox.endpoints import Endpoints

ROUNDS = 9
MANY = 200
GIB = 1 << 30
LIMITS = {
    "10 files": ("python -c pass", 30.0),
    "5,000 files, 10 GiB": ("10 files", 1.5),
    "200 manifests": ("10 files", 15.0),
}
MANIFEST = """\
model: {{id: {name}, type: text-to-text}}
storage:
  bucket: {endpoints.bucket}
  prefix: noop
  endpoint_url: {endpoints.s3_endpoint}
  region: {endpoints.region}
"""
INFERENCE = """\
from clarifai_runtime import TextOutput, get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data, **kwargs):
        return [TextOutput(predicted_text=text) for text in input_data]
"""


def main() -> int:
    """Make the trees, apply once, measure, compare with the limits."""
    with tempfile.TemporaryDirectory(prefix="noop-") as name:
        work = Path(name)
        endpoints = lifecycle.up(work / "sandbox", attached=True)
        try:
            with platform(work) as account:
                ours = {**endpoints.environ(), **account, "XDG_CACHE_HOME": str(work / "cache")}
                seconds = measure(work, endpoints, {**os.environ, **ours})
        finally:
            lifecycle.down(work / "sandbox")
    return report(seconds)


def measure(work: Path, endpoints: Endpoints, environ: Mapping[str, str]) -> dict[str, float]:
    """Return the median seconds of each command."""
    small, large, many = work / "small", work / "large", work / "many"
    write_model(small, "small", endpoints, 10, 10 * 1024)
    write_model(large, "large", endpoints, 5000, 10 * GIB)
    for number in range(MANY):
        write_model(many / f"m{number}", f"m{number}", endpoints, 10, 10 * 1024)
    tool = [sys.executable, "-m", "clarifai_build", "apply"]
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "10 files": [*tool, str(small)],
        "5,000 files, 10 GiB": [*tool, str(large)],
        "200 manifests": [*tool, str(many)],
    }
    for name, command in commands.items():
        print(f"first run: {name}", file=sys.stderr, flush=True)
        run(command, environ)
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(ROUNDS):
        print(f"round {number + 1} of {ROUNDS}", file=sys.stderr, flush=True)
        for name, command in commands.items():
            start = time.perf_counter()
            said = run(command, environ)
            times[name].append(time.perf_counter() - start)
            if "apply" in command and ("posted" in said or "applied" in said):
                raise SystemExit(f"{name}: there was something to do\n{said}")
    return {name: statistics.median(values) for name, values in times.items()}


def run(command: list[str], environ: Mapping[str, str]) -> str:
    """Run a process to its end and return what it said."""
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def write_model(folder: Path, name: str, endpoints: Endpoints, files: int, size: int) -> None:
    """Write a model of as many sparse files, `size` bytes together."""
    data = folder / "data"
    data.mkdir(parents=True)
    (folder / "clarifai.yaml").write_text(MANIFEST.format(name=name, endpoints=endpoints))
    (folder / "inference.py").write_text(INFERENCE)
    for number in range(files - 1):
        file = data / f"d{number % 50}" / f"f{number}.bin"
        file.parent.mkdir(exist_ok=True)
        with file.open("wb") as stream:
            stream.truncate(size // files)


def report(seconds: Mapping[str, float]) -> int:
    """Print the table; return 1 where a limit is passed."""
    print(f"\n{'nothing to do':24}{'median s':>10}{'ratio':>9}{'limit':>9}  against")
    failed = 0
    for name, value in seconds.items():
        if name not in LIMITS:
            print(f"{name:24}{value:>10.3f}")
            continue
        against, limit = LIMITS[name]
        ratio = value / seconds[against]
        failed |= ratio > limit
        verdict = "" if ratio <= limit else "  PASSED THE LIMIT"
        print(f"{name:24}{value:>10.3f}{ratio:>9.1f}{limit:>9.1f}  {against}{verdict}")
    print(json.dumps({"seconds": dict(seconds)}))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
