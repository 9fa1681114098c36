"""Which mutants are tried: a seeded few, spread over functions and operators."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

from mutation.sites import Mutant


def sample(mutants: Iterable[Mutant], each: int, seed: int) -> list[Mutant]:
    """Return `each` of them (all, if it is 0) in the order of the text.

    The next is always of the function, then of the operator, that has the fewest so far. What
    breaks a tie depends on the seed and the mutant alone: a module that moves keeps its sample.
    """
    left = sorted(mutants, key=lambda one: _lot(one, seed))
    chosen: list[Mutant] = []
    functions: Counter[str] = Counter()
    operators: Counter[str] = Counter()
    while left and (not each or len(chosen) < each):
        one = min(left, key=lambda it: (functions[it.key.function], operators[it.operator]))
        left.remove(one)
        if one.is_valid():
            chosen.append(one)
            functions[one.key.function] += 1
            operators[one.operator] += 1
    return sorted(chosen, key=lambda one: (one.line, one.key))


def _lot(mutant: Mutant, seed: int) -> bytes:
    key = mutant.key
    told = "\0".join([str(seed), key.function, key.before, key.after])
    return hashlib.sha256(told.encode()).digest()
