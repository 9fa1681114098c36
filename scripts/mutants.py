"""Mutation testing of the package: see docs/decisions/0020-mutation-testing.md.

python scripts/mutants.py --seed 1 --each 20 builder/clarifai_build/artifact/artifact.py
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from mutation import judged, measuring, session, summary, trial
from mutation.reached import Reached
from mutation.sample import sample
from mutation.sites import Key, Mutant, mutants_of

ROOT = session.ROOT
MODULES = ROOT / "scripts" / "mutation" / "modules.txt"
JUDGED = ROOT / "tests" / "mutants-judged.txt"
TESTS = ("tests/unit", "tests/functional", "tests/runtime/portable")


def main() -> int:
    """Run it; return 1 when fewer are killed than was asked for."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # Ends the children, too.
    patterns = options.modules or MODULES.read_text().split()
    known = {path: mutants_of(path, (ROOT / path).read_bytes()) for path in _modules(patterns)}
    chosen = [one for each in known.values() for one in sample(each, options.each, options.seed)]
    reasons = judged.parse(JUDGED.read_text())
    session.warm_up()
    found = _outcomes(chosen, reasons, _reached(options), options)
    print("\n".join(["", *summary.unnoticed(found), *summary.table(found)]))
    for key in judged.outdated(reasons, (one.key for all_of in known.values() for one in all_of)):
        print(f"judged, but gone: {key.module} {key.function}: {key.after}")
    return int(summary.percent(found) < options.at_least)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="paths or globs; else those of modules.txt")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=20, help="mutants a module; 0 is all")
    parser.add_argument("--at-least", type=float, default=0, help="percent; fewer killed is exit 1")
    parser.add_argument("--budget", type=float, default=120, help="seconds of tests for a mutant")
    parser.add_argument("--jobs", type=int, default=2, help="children at a time")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="folders or files of tests")
    return parser


def _modules(patterns: list[str]) -> list[str]:
    """Return paths below the root, each once. A pattern that finds nothing is a mistake."""
    found: dict[str, None] = {}
    for pattern in patterns:
        paths = sorted(path for path in ROOT.glob(pattern) if path.suffix == ".py")
        if not paths:
            sys.exit(f"mutants: no module is called {pattern}")
        found |= dict.fromkeys(path.relative_to(ROOT).as_posix() for path in paths)
    return list(found)


def _reached(options: argparse.Namespace) -> Reached:
    """Return what all tests reach, and say which are left out since they fail by themselves."""
    files: list[Path] = []
    for each in options.tests:
        path = ROOT / each
        files += sorted(path.rglob("test_*.py")) if path.is_dir() else [path]
    reached = Reached()
    for _, of_file in measuring.measured(files, options.jobs):
        reached.add(of_file)
    for test in reached.failed:
        print(f"left out, for it does not pass here: {test}")
    return reached


def _outcomes(
    mutants: list[Mutant], reasons: dict[Key, str], reached: Reached, options: argparse.Namespace
) -> list[trial.Outcome]:
    found = [trial.Outcome(one, trial.JUDGED) for one in mutants if one.key in reasons]
    wanted = [one for one in mutants if one.key not in reasons]
    for one in trial.outcomes(wanted, reached, options.budget, options.jobs):
        found.append(one)
        place = f"{one.mutant.key.module}:{one.mutant.line}"
        fate = f"{one.fate}, hung" if one.hung else one.fate
        print(f"{len(found)}/{len(mutants)} {fate} {one.seconds:.1f} s {place}", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
