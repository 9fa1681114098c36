"""How long the tool takes to start: whole processes in turn, in one run, against its peers.

The peers get environments of their own below build/, made on first use.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measuring import Variant, in_turn, show

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PEERS = ROOT / "build" / "peers"
PEER_PACKAGES = {"clarifai": "clarifai==12.5.0", "truss": "truss==0.18.35"}
ROUNDS = 21
MANY = 1000
MANY_ROUNDS = 5

MANIFEST = """\
version: 1
model:
  id: example
  type: visual-detector
  description: Finds lines of text in a photo.
  labels: labels.txt
code:
  path: .
  requirements: requirements.txt
shapes:
  image: [480, 640]
triton:
  max_batch_size: 8
  dynamic_batching: {max_queue_delay_microseconds: 500, preferred_batch_size: [4, 8]}
params:
  - {name: threshold, type: number, default: 0.5, description: Lowest score kept.}
storage:
  type: s3
  bucket: my-models
clarifai:
  visibility: private
"""
INFERENCE = """\
from clarifai_runtime import get_model_config

config = get_model_config("visual-detector")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data, **kwargs):
        return []
"""


def main() -> int:
    """Measure, and compare with the limits."""
    peers = [peer(name) for name in PEER_PACKAGES]
    with tempfile.TemporaryDirectory(prefix="startup-") as name:
        work = Path(name)
        for number in range(MANY):
            write_model(work / f"m{number:04}")
        tool = str(BIN / "clarifai-build")
        python = Variant([sys.executable, "-c", "pass"])
        ours = Variant([tool, "--help"])
        others = [Variant([str(path), "--help"]) for path in peers]
        one = Variant([tool, "validate", str(work / "m0000")])
        many, one_beside = Variant([tool, "validate", str(work)]), Variant(one.command)
        with quiet_errors():
            in_turn([python, ours, *others, one], ROUNDS)
            in_turn([many, one_beside], MANY_ROUNDS)
    return report(python, ours, others, one, many, one_beside)


def report(
    python: Variant,
    ours: Variant,
    others: list[Variant],
    one: Variant,
    many: Variant,
    beside: Variant,
) -> int:
    """Print every figure beside its limit; return 1 where one does not hold."""
    start = python.seconds
    for name, other in zip(PEER_PACKAGES, others, strict=True):
        print(f"    {name} --help takes {other.seconds / start:.1f} times python -c pass")
    rows = [
        ("--help ÷ python -c pass", ours.seconds / start, 5.0, milliseconds(ours)),
        (
            "--help ÷ clarifai --help",
            ours.seconds / others[0].seconds,
            0.35,
            milliseconds(others[0]),
        ),
        ("validate ÷ python -c pass", one.seconds / start, 13.0, milliseconds(one)),
        (f"validate of {MANY} ÷ of one", many.seconds / beside.seconds, 12.0, milliseconds(many)),
    ]
    held = [show(what, value, limit, None, detail) for what, value, limit, detail in rows]
    return 0 if all(held) else 1


@contextmanager
def quiet_errors() -> Iterator[None]:
    """Let processes that are started here inherit no terminal to write prose to."""
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def milliseconds(variant: Variant) -> str:
    """Return a variant's time for people."""
    return f"{variant.seconds * 1000:.0f} ms"


def write_model(folder: Path) -> None:
    """Write a model folder as people have them."""
    folder.mkdir()
    (folder / "clarifai.yaml").write_text(MANIFEST)
    (folder / "inference.py").write_text(INFERENCE)
    (folder / "labels.txt").write_text("text\n")
    (folder / "requirements.txt").write_text("numpy>=1.24\nonnxruntime==1.17.1\n")


def peer(name: str) -> Path:
    """Return a peer's command, installed into an environment of its own."""
    folder = PEERS / name
    command = folder / "bin" / name
    if not command.exists():
        print(f"    installing {PEER_PACKAGES[name]}", file=sys.stderr)
        uv = str(BIN / "uv")
        subprocess.run([uv, "venv", "-q", "--clear", "-p", sys.executable, folder], check=True)
        subprocess.run([uv, "pip", "install", "-q", "-p", folder, PEER_PACKAGES[name]], check=True)
        # The first start writes byte code and looks for updates.
        subprocess.run([command, "--help"], check=True, stdout=subprocess.DEVNULL)
    return command


if __name__ == "__main__":
    sys.exit(main())
