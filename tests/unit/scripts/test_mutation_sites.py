"""Mutants of a module: what is changed, and what is left alone."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutation.operators import OPERATORS
from mutation.sites import Key, Mutant, mutants_of
from support.pages import ROOT

MODULES = sorted((ROOT / "builder").rglob("*.py"))


def mutants(source: str) -> list[Mutant]:
    """Return those of a module that are valid."""
    return [one for one in mutants_of("m.py", source.encode()) if one.is_valid()]


def afters(source: str) -> set[str]:
    """Return what may stand for a line."""
    return {one.key.after for one in mutants(source)}


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("x = a < b", {"x = a <= b", "x = a > b"}),
        ("x = a == b", {"x = a != b"}),
        ("x = a is not b", {"x = a is b"}),
        ("x = a not in b", {"x = a in b"}),
        ("x = (a) is b", {"x = (a) is not b"}),
        ("x = a and b", {"x = a or b", "x = True and b", "x = a and True"}),
        ("x = a or b", {"x = a and b", "x = False or b", "x = a or False"}),
        ("x = not a", {"x = a"}),
        ("x = a + b", {"x = a - b"}),
        ("x = 'a' + b", {'x = "" + b'}),
        ("x += y", {"x -= y"}),
        ("x = 5", {"x = 6", "x = 0"}),
        ("x = True", {"x = False"}),
        ("x = 'word'", {'x = ""'}),
        ("raise E", {"pass"}),
        ("f()", {"pass"}),
        ("x = f(a, b=c)", {"x = f(a)"}),
        ("x = f(b=c, d=e)", {"x = f(d=e)", "x = f(b=c)"}),
        ("x = a[b:c]", {"x = a[:c]", "x = a[b:]"}),
        ("x = a if b else c", {"x = a if not (b) else c"}),
        ("x = [a for a in b if c]", {"x = [a for a in b if not (c)]"}),
    ],
)
def test_each_kind_of_node_has_its_changes(line: str, after: set[str]) -> None:
    """A line becomes these, and nothing else."""
    assert afters(line) == after


def test_what_a_function_does_is_changed() -> None:
    """Its defaults, what it returns, and how its loops go on."""
    source = "def f(n=3):\n    while n:\n        break\n        continue\n    return n\n"
    found = [(one.operator, one.key.after) for one in mutants(source)]
    assert ("constant", "def f(n=4):") in found
    assert ("return", "return None") in found
    assert ("jump", "continue") in found
    assert ("jump", "break") in found


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""\n',
        "def f(x: 'int' = y) -> 'str': ...\n",
        "x: Literal['a'] = y\n",
        "x = 'a text that people read'\n",
        "x = f'{a + 1}'\n",
        "__all__ = ['f']\n",
        "if TYPE_CHECKING:\n    x = 1\n",
        "@dataclass(frozen=True)\nclass A: ...\n",
        "T = TypeVar('T')\n",
        "x = f(a, hint='word')\n",
    ],
)
def test_what_no_program_reads_is_left_alone(source: str) -> None:
    """Docstrings, annotations, prose and names have no mutants."""
    assert mutants(source) == []


@given(st.sampled_from(MODULES), st.randoms(use_true_random=False))
def test_a_mutant_is_another_module_with_the_same_lines(path: Path, random: Random) -> None:
    """One line differs, or those of one statement; all the others keep their numbers."""
    data = path.read_bytes()
    found = mutants_of("m.py", data)
    for one in random.sample(found, min(len(found), 3)):
        assert one.source != data
        assert one.source.count(b"\n") == data.count(b"\n")
        first, last = one.lines
        assert first <= one.line <= last
        pairs = zip(data.splitlines(), one.source.splitlines(), strict=True)
        changed = [number for number, (old, new) in enumerate(pairs, 1) if old != new]
        assert changed[0] >= first


def test_a_statement_of_several_lines_is_changed_as_one() -> None:
    """What follows stays on its line, and the key shows the statement in one piece."""
    (one,) = [it for it in mutants("raise E(\n    a\n)\nx = y\n") if it.operator == "raise"]
    assert one.source == b"pass\n\n\nx = y\n"
    assert one.key == Key("m.py", "<module>", "raise E( a )", "pass")


def test_functions_are_known_by_their_whole_names() -> None:
    """A method by its class, too; a statement of a function runs later than the import."""
    (one,) = mutants("class A:\n    def f(self):\n        x = y < 'a b'\n")[:1]
    assert (one.key.function, one.at_import) == ("A.f", False)
    assert mutants("class A:\n    x = 1\n")[0].at_import
    assert mutants("@functools.cache\ndef f():\n    x = 1\n")[0].at_import


def test_the_package_has_mutants_of_every_kind() -> None:
    """No operator is dead."""
    found = {one.operator for path in MODULES[:60] for one in mutants_of("m.py", path.read_bytes())}
    kinds = {"comparison", "and-or", "operand", "not", "condition", "arithmetic", "constant"}
    assert found == kinds | {"return", "raise", "call", "keyword", "slice", "jump"}
    assert len(found) >= len(OPERATORS) - 2
