"""A runner model's merging of waiting requests against a lock, and what an answer costs beside it.

The folder is served by the official SDK's servicer, in the environment that the tests have for it.
Threads call the servicer, each in a closed loop, as the threads of the platform's runner do. A
figure is the median of the rounds' ratios; rounds are short and many, so that both sides of a ratio
meet the same machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "builder"), str(ROOT / "tests")]

from measuring import show  # noqa: E402 - beside the paths above, for order

from runtime.runner.model_files import write_runner  # noqa: E402 - found by the line above
from support.runner_sdk import sdk_environ, sdk_python  # noqa: E402 - found by the line above

EMBEDDER = Path(__file__).with_name("serving_models") / "embedder.py"
SERVING = Path(__file__).with_name("runner_serving.py")
BATCH = 32


def measured(folder: Path, scratch: Path, rounds: int, seconds: float) -> Any:
    """Return the figures of one process that serves a model."""
    command = [str(sdk_python()), str(SERVING), str(folder), str(rounds), str(seconds)]
    done = subprocess.run(
        command, env=sdk_environ(scratch), cwd=scratch, stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout)


def ratio(rates: dict[str, list[float]]) -> tuple[float, str]:
    """Return how much more the merged side answers, and both rates as a note."""
    pairs = list(zip(rates["merged"], rates["lock"], strict=True))
    medians = {side: statistics.median(found) for side, found in rates.items()}
    note = f"{medians['merged']:.0f} and {medians['lock']:.0f} answers a second"
    return statistics.median(ours / theirs for ours, theirs in pairs), note


def main() -> int:
    """Run the benchmark; 1 when a limit does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.4, help="of each measurement")
    args = parser.parse_args()
    holds = True
    with tempfile.TemporaryDirectory(prefix="runner-bench-") as name:
        scratch = Path(name)
        code = EMBEDDER.read_text(encoding="utf-8")
        folder = write_runner(scratch, "text-embedder", code, max_batch_size=BATCH)
        figures = measured(folder, scratch, args.rounds, args.seconds)
    for client, by_concurrency in figures["rates"].items():
        for concurrency, limit, stretch in (("8", 2.5, 4.0), ("32", 3.0, 8.0)):
            what = f"embedder, {client}, concurrency {concurrency}: merged ÷ a lock"
            value, note = ratio(by_concurrency[concurrency])
            holds &= show(what, value, limit, stretch, note, at_least=True)
    for client, found in figures["overhead"].items():
        what = f"an answer, {client}: ms over the bare ModelClass"
        note = f"{found['ours']:.3f} and {found['bare']:.3f} ms"
        holds &= show(what, found["ours"] - found["bare"], 0.5, None, note)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
