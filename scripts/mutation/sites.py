"""Walks a module and lists every mutant of it, leaving out what no program reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from mutation.operators import PROSE, Change, changes
from mutation.text import Text, shown

_TYPES = {"TypeVar", "ParamSpec", "NewType", "cast", "Literal"}
_NAMES = {"__all__", "__slots__"}
_CACHES = {"cache", "lru_cache", "cached_property"}


class Key(NamedTuple):
    """What a mutant is known by: no line number, so that a judgement outlives other edits."""

    module: str
    function: str
    before: str
    after: str


@dataclass(frozen=True)
class Mutant:
    """One change of one module."""

    key: Key
    operator: str
    line: int
    lines: tuple[int, int]
    """Those of its statement: a test that runs none of them can't notice."""
    at_import: bool
    """Whether the statement runs once a process, so that any test of the module may notice."""
    change: Change
    text: Text = field(compare=False, repr=False)

    @property
    def source(self) -> bytes:
        """The whole module."""
        return self.text.replaced(*self.change[1:])

    def is_valid(self) -> bool:
        """Whether it is Python; parentheses that the syntax tree doesn't show may prevent it."""
        try:
            compile(self.source, self.key.module, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return False
        return True


@dataclass(frozen=True)
class _Where:
    names: tuple[str, ...] = ()
    lines: tuple[int, int] = (1, 1)
    at_import: bool = True


def mutants_of(module: str, data: bytes) -> list[Mutant]:
    """Return all of a module's mutants, in the order of the text."""
    text = Text(data)
    found = [
        _mutant(module, text, change, where)
        for node, where in _walk(ast.parse(data), _Where())
        for change in changes(node, text)
    ]
    return sorted((each for each in found if each), key=lambda one: (one.line, one.key))


def _mutant(module: str, text: Text, change: Change, where: _Where) -> Mutant | None:
    operator, start, end, new = change
    source = text.replaced(start, end, new)
    first, last = text.lines(start, end)
    while first < last and _same_line(text.data, source, first):
        first += 1
    before, after = shown(text.data, first, last), shown(source, first, last)
    if before == after:
        return None
    key = Key(module, ".".join(where.names) or "<module>", before, after)
    return Mutant(key, operator, first, where.lines, where.at_import, change, text)


def _same_line(one: bytes, other: bytes, number: int) -> bool:
    return shown(one, number, number) == shown(other, number, number)


def _walk(node: ast.AST, where: _Where) -> Iterator[tuple[ast.AST, _Where]]:
    if _is_left_out(node):
        return
    if isinstance(node, ast.stmt | ast.ExceptHandler):
        where = replace(where, lines=_own_lines(node))
    yield node, where
    inside = _entered(node, where)
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "bases"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _walk(child, inside if name == "body" else where)


def _entered(node: ast.AST, where: _Where) -> _Where:
    """Return where the body of a function or class is."""
    if isinstance(node, ast.ClassDef):
        return replace(where, names=(*where.names, node.name))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        cached = any(_name(each) in _CACHES for each in node.decorator_list)
        return replace(where, names=(*where.names, node.name), at_import=cached)
    return where


def _own_lines(node: ast.AST) -> tuple[int, int]:
    """Return a statement's lines, of a compound one those of its head."""
    body = getattr(node, "body", None)
    first: int = node.lineno  # type: ignore[attr-defined]
    last: int = body[0].lineno - 1 if body else node.end_lineno  # type: ignore[attr-defined]
    return first, max(first, last)


def _is_left_out(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.If):
        return _name(node.test) == "TYPE_CHECKING"
    if isinstance(node, ast.Assign):
        return any(_name(target) in _NAMES for target in node.targets)
    if isinstance(node, ast.Call):
        return _name(node.func) in _TYPES
    if isinstance(node, ast.Subscript):
        return _name(node.value) in _TYPES
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.keyword) and node.arg in PROSE)


def _name(node: ast.AST) -> str:
    """Return the last part of a dotted name, called or not."""
    if isinstance(node, ast.Call):
        return _name(node.func)
    return getattr(node, "attr", getattr(node, "id", ""))
