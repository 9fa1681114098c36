"""Which mutants are tried, and which were judged."""

from __future__ import annotations

import pytest

from mutation import judged
from mutation.sample import sample
from mutation.sites import Key, Mutant, mutants_of
from support.pages import ROOT


def mutants(source: str) -> list[Mutant]:
    """Return those of a module that are valid."""
    return [one for one in mutants_of("m.py", source.encode()) if one.is_valid()]


def test_a_sample_is_spread_and_depends_on_its_seed() -> None:
    """No function has a second mutant before each has one; the same seed draws the same."""
    source = "".join(f"def f{n}(a):\n    return a < {n + 2} and a + 7\n" for n in range(6))
    found = mutants(source)
    few = sample(found, 6, seed=1)
    assert {one.key.function for one in few} == {f"f{n}" for n in range(6)}
    assert few == sample(reversed(found), 6, seed=1)
    assert few != sample(found, 6, seed=2)
    assert sample(found, 0, seed=1) == sample(found, len(found), seed=3)


def test_a_sample_survives_a_move() -> None:
    """A module under another path keeps its mutants."""
    source = b"def f(a):\n    return a < 2 and a + 7 or not a\n"
    here, there = mutants_of("a.py", source), mutants_of("b/c.py", source)
    assert [one.source for one in sample(here, 4, 1)] == [one.source for one in sample(there, 4, 1)]


def test_a_sample_has_no_invalid_mutants() -> None:
    """What is no Python is passed over."""
    found = mutants_of("m.py", b'match a:\n    case {"": x, "b": y}: ...\n')
    assert [one.key.after for one in found] == ['case {"": x, "": y}: ...']
    assert sample(found, 0, 1) == []


def test_a_survivor_is_judged_as_it_is_printed() -> None:
    """Its block and a reason read back as its key."""
    (one, *_) = mutants("x = a < b\n")
    text = f"# why\n\n{judged.block(one.key)}\n= the same for integers\n\n\n"
    assert judged.parse(text) == {one.key: "the same for integers"}


@pytest.mark.parametrize("reason", ["", "\n=", "\n= ", "\nthe same"])
def test_a_judgement_has_a_reason(reason: str) -> None:
    """A block without one is refused."""
    with pytest.raises(ValueError, match="not a judged mutant: m"):
        judged.parse(f"m.py f\n- a\n+ b{reason}")


def test_judgements_that_no_longer_apply_are_found() -> None:
    """Of the modules at hand only."""
    known = Key("m.py", "f", "a", "b")
    gone, elsewhere = known._replace(after="c"), known._replace(module="n.py")
    assert judged.outdated([known, gone, elsewhere], [known]) == [gone]


def test_the_judged_ones_can_be_read() -> None:
    """The file of this repository is in order."""
    text = (ROOT / "tests" / "mutants-judged.txt").read_text()
    assert all(key.module.startswith("builder/") for key in judged.parse(text))
    assert text.count("\n= ") == len(judged.parse(text))


def test_the_modules_tried_by_default_exist() -> None:
    """Each once."""
    names = (ROOT / "scripts" / "mutation" / "modules.txt").read_text().split()
    assert [name for name in names if not (ROOT / name).is_file()] == []
    assert len(names) == len(set(names)) > 20
