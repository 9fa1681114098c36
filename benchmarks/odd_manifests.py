"""How long `validate` takes for manifests of a megabyte that are none, and how much memory."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measuring import Variant, in_turn, show
from startup import BIN, INFERENCE, quiet_errors, write_model

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.odd_manifests import odd_manifests  # noqa: E402 - found by the line above

ROUNDS = 3
SHOWN = 8
# What is promised for any manifest; the ratio says the same of a machine that is slower.
MOST_SECONDS = 2.0
MOST_MEBIBYTES = 190.0
MOST_TIMES = 12.0


def main() -> int:
    """Measure, and compare with the limits."""
    with tempfile.TemporaryDirectory(prefix="odd-manifests-") as name:
        work = Path(name)
        write_model(work / "ordinary")
        ordinary = Variant([str(BIN / "clarifai-build"), "validate", str(work / "ordinary")])
        odd = {what: _odd(work, what, text) for what, text in odd_manifests().items()}
        with quiet_errors():
            in_turn([ordinary, *odd.values()], ROUNDS)
    return report(ordinary, odd)


def _odd(work: Path, what: str, text: str) -> Variant:
    folder = work / what.replace("/", "-").encode("unicode_escape").decode()
    folder.mkdir()
    (folder / "clarifai.yaml").write_text(text, encoding="utf-8")
    (folder / "inference.py").write_text(INFERENCE)
    return Variant([str(BIN / "clarifai-build"), "validate", str(folder)], ends=(0, 3))


def report(ordinary: Variant, odd: dict[str, Variant]) -> int:
    """Print the slowest, then the figures beside their limits; return 1 where one fails."""
    by_time = sorted(odd.items(), key=lambda item: -item[1].seconds)
    for what, variant in by_time[:SHOWN]:
        print(f"    {what:<40} {variant.seconds:5.2f} s  {variant.mebibytes:4.0f} MiB")
    (slowest, worst), largest = by_time[0], max(odd, key=lambda what: odd[what].mebibytes)
    count = f"of {len(odd)} odd manifests"
    rows = [
        (f"slowest {count}, seconds", worst.seconds, MOST_SECONDS, slowest),
        (
            f"slowest {count} ÷ validate of an ordinary one",
            worst.seconds / ordinary.seconds,
            MOST_TIMES,
            f"{ordinary.seconds * 1000:.0f} ms",
        ),
        (f"largest peak {count}, MiB", odd[largest].mebibytes, MOST_MEBIBYTES, largest),
    ]
    held = [show(what, value, limit, None, detail) for what, value, limit, detail in rows]
    return 0 if all(held) else 1


if __name__ == "__main__":
    raise SystemExit(main())
