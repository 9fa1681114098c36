"""The trees that are packed: small files, one large one, a mix, and very many."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

GIB = 1 << 30


def places(folder: Path) -> dict[str, Path]:
    """Return where the trees are."""
    return {name: folder / name for name in "abcd"}


def make(folder: Path) -> None:
    """Make the trees below `folder`, those that are not there yet."""
    makers = {"a": _small, "b": _large, "c": _mixed, "d": _many}
    for name, tree in places(folder).items():
        if not tree.is_dir():
            partial = folder / f"{name}.partial"
            partial.mkdir(parents=True)
            makers[name](partial)
            partial.rename(tree)


def _small(folder: Path) -> None:
    """200 files of code-like text, 1 to 32 KiB."""
    random.seed(1)
    words = [f"word{n}" for n in range(2000)]
    for n in range(200):
        size = random.randint(1 << 10, 32 << 10)
        text = " ".join(random.choices(words, k=size // 7))
        (folder / f"file{n:03}.py").write_text(text)


def _large(folder: Path) -> None:
    """1 GiB of float32 weights."""
    _weights(folder / "weights.bin", GIB)


def _mixed(folder: Path) -> None:
    """2 GiB: one of weights, the rest in files of 1 KiB to 64 MiB."""
    _weights(folder / "weights.bin", GIB)
    for n, size in enumerate([64 << 20] * 12 + [8 << 20] * 30 + [1 << 10] * 500):
        (folder / f"part{n:03}.bin").write_bytes(os.urandom(size))


def _many(folder: Path) -> None:
    """5,000 files, 10 GiB: hard links to one of 2 MiB."""
    block = folder / "f0000.bin"
    block.write_bytes(os.urandom(2 << 20))
    for n in range(1, 5000):
        sub = folder / f"{n % 50:02}"
        sub.mkdir(exist_ok=True)
        (sub / f"f{n:04}.bin").hardlink_to(block)


def _weights(file: Path, size: int) -> None:
    import numpy as np

    generator = np.random.default_rng(1)
    with file.open("wb") as stream:
        for _ in range(size >> 26):
            stream.write(generator.standard_normal(1 << 24, dtype=np.float32).tobytes())


if __name__ == "__main__":  # a process of its own: what measures has to stay small
    make(Path(sys.argv[1]))
