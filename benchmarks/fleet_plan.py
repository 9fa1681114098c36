"""`plan` of many new models: whole processes with empty caches, against a real S3 server.

The platform is the sandbox's API without Triton. Memory is the peak of the process.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from local_platform import platform
from measuring import Variant, in_turn, show
from noop import write_model
from startup import quiet_errors

from clarifai_build.sandbox import lifecycle
from clarifai_build.sandbox.endpoints import Endpoints

FEW, MANY = 200, 1000
ROUNDS = 3
FILES, BYTES = 10, 10 * 1024
Row = tuple[str, float, float, float | None, str]
"""What `measuring.show` prints: what, the figure, its limit, the stretch, and how it came about."""


def main() -> int:
    """Measure, and compare with the limits."""
    held = [show(*row) for row in rows()]
    return 0 if all(held) else 1


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Measure both fleets in turn, and return the figures beside their limits."""
    with tempfile.TemporaryDirectory(prefix="fleet-") as name:
        work = Path(name)
        endpoints = lifecycle.up(work / "sandbox", attached=True)
        try:
            with platform(work) as account:
                environ = {**endpoints.environ(), **account}
                few, many = (fleet(work, count, endpoints, environ) for count in (FEW, MANY))
                with quiet_errors():
                    in_turn([few, many], rounds)
        finally:
            lifecycle.down(work / "sandbox")
    return [
        (
            f"plan of {FEW} new models: ms a model",
            few.seconds * 1000 / FEW,
            50.0,
            25.0,
            f"{few.seconds:.1f} s",
        ),
        (f"plan of {FEW} new models: peak MB", megabytes(few), 200.0, 130.0, ""),
        (
            f"plan of {MANY} new models ÷ of {FEW}: time",
            many.seconds / few.seconds,
            5.2,
            5.0,
            f"{many.seconds:.1f} s",
        ),
        (
            f"plan of {MANY} new models ÷ of {FEW}: memory",
            megabytes(many) / megabytes(few),
            1.2,
            1.05,
            f"{megabytes(many):.0f} MB",
        ),
    ]


def fleet(work: Path, count: int, endpoints: Endpoints, environ: Mapping[str, str]) -> Variant:
    """Write a fleet of new models, and return the command that plans it with empty caches."""
    folder, cache = work / f"of-{count}", work / f"cache-{count}"
    for number in range(count):
        write_model(folder / f"m{number:04}", f"m{number:04}", endpoints, FILES, BYTES)
    variables = (f"{name}={value}" for name, value in environ.items())
    tool: Sequence[str] = (sys.executable, "-m", "clarifai_build", "plan", str(folder))
    command = ["env", f"XDG_CACHE_HOME={cache}", *variables, *tool]
    return Variant(command, partial(shutil.rmtree, cache, ignore_errors=True))


def megabytes(variant: Variant) -> float:
    """Return the median peak of a variant's runs, in millions of bytes."""
    return statistics.median(run.mebibytes for run in variant.runs) * 1.048576


if __name__ == "__main__":
    sys.exit(main())
