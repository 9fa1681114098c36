"""A cold build of a model of very many small files, against Python's zipfile in one process.

Whole processes in pairs: each build has a cache of its own, empty, and writes a zip, its provenance
and the list of what is in it; zipfile walks the folder, by pathlib as the other benchmarks do, and
stores what it finds. What it takes with os.walk and names as text is told beside.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from measuring import Variant, in_turn, show, variant

FILES, FOLDERS, ROUNDS = 50_000, 300, 5
SMALLEST, LARGEST = 200, 4 << 10
ENDINGS = ("txt", "json", "py", "csv")
MANIFEST = "model: {id: many, type: text-to-text}\n"
INFERENCE = """\
class InferenceModel:
    def get_predictions(self, input_data, **kwargs):
        return input_data
"""


class Row(NamedTuple):
    """A figure, and what it is held against: the arguments of `show`."""

    what: str
    value: float
    limit: float
    stretch: float | None
    detail: str


def rows(work: Path, files: int = FILES, rounds: int = ROUNDS) -> list[Row]:
    """Measure below a folder, which is made; return time against zipfile, and peak memory."""
    folder = work / "model"
    write_model(folder, files)
    ours = build(folder, work)
    plain, quick = (
        variant(name, folder, work / "plain.zip") for name in ("stored_zip", "stored_zip_of_texts")
    )
    in_turn([ours, plain, quick], rounds)
    what = f"cold build of {files:,} small files"
    times = f"{ours.seconds:.2f} s ÷ {plain.seconds:.2f} s"
    times += f" (without pathlib {quick.seconds:.2f} s: {ratio(ours, quick):.2f})"
    return [
        Row(f"{what} ÷ zipfile, stored", ratio(ours, plain), 1.6, 1.3, times),
        Row(f"{what}: peak memory, MiB", ours.mebibytes, 150, 100, ""),
    ]


def ratio(over: Variant, under: Variant) -> float:
    """Return the median of the pairs' ratios: what runs beside them meets both of a pair."""
    pairs = zip(over.runs, under.runs, strict=True)
    return statistics.median(one.seconds / other.seconds for one, other in pairs)


def build(folder: Path, work: Path) -> Variant:
    """Return the whole command, which finds neither cache nor zip of an earlier run."""
    home, target = work / "home", work / "ours" / "a.zip"

    def ready() -> None:
        for each in (home, target.parent):
            shutil.rmtree(each, ignore_errors=True)
        os.sync()

    tool = [sys.executable, "-m", "clarifai_build", "build", str(folder), "-o", str(target)]
    return Variant(["env", f"HOME={home}", f"XDG_CACHE_HOME={home}/cache", *tool], ready)


def write_model(folder: Path, files: int) -> None:
    """Write a model with as many files of text, 0.2 to 4 KiB each."""
    draw = random.Random(1)
    text = " ".join(f"word{draw.randrange(2000)}" for _ in range(1 << 16)).encode()
    folders = [folder / f"data{n % 7}" / f"part{n:03}" for n in range(FOLDERS)]
    for each in folders:
        each.mkdir(parents=True)
    (folder / "clarifai.yaml").write_text(MANIFEST)
    (folder / "inference.py").write_text(INFERENCE)
    for number in range(files):
        start, size = draw.randrange(len(text) - LARGEST), draw.randint(SMALLEST, LARGEST)
        name = f"sample_{number:05}.{ENDINGS[number % len(ENDINGS)]}"
        (folders[number % FOLDERS] / name).write_bytes(text[start : start + size])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="small-files-") as name:
        held = [show(*row) for row in rows(Path(name), args.files, args.rounds)]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
