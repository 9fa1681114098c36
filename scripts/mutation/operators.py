"""The changes: for each kind of node, what may stand there instead."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mutation.text import Text

PROSE = {"help", "description", "epilog", "metavar", "hint", "title"}
"""Arguments that only people read."""


class Change(NamedTuple):
    """The bytes from `start` to `end` become `new`."""

    operator: str
    start: int
    end: int
    new: bytes


COMPARISONS: dict[type, tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">")),
    ast.LtE: ("<=", ("<", ">=")),
    ast.Gt: (">", (">=", "<")),
    ast.GtE: (">=", (">", "<=")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: (r"is\s+not", ("is",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: (r"not\s+in", ("in",)),
}

ARITHMETIC: dict[type, tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "//"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "|"),
}


def changes(node: ast.AST, text: Text) -> Iterator[Change]:
    """Return every change of this very node; those of its children are theirs."""
    for kinds, operator in OPERATORS:
        if isinstance(node, kinds):
            yield from operator(node, text)


def _between(
    text: Text, operator: str, left: ast.AST, right: ast.AST, pattern: str, new: str
) -> Iterator[Change]:
    """Replace a token between two operands, of which the tree doesn't say where it is."""
    start, end = text.end(left), text.start(right)
    found = re.search(pattern.encode(), text.data[start:end])
    if found:
        yield Change(operator, start + found.start(), start + found.end(), new.encode())


def _comparison(node: ast.Compare, text: Text) -> Iterator[Change]:
    operands = [node.left, *node.comparators]
    for left, kind, right in zip(operands, node.ops, node.comparators, strict=False):
        pattern, others = COMPARISONS[type(kind)]
        for new in others:
            yield from _between(text, "comparison", left, right, pattern, new)


def _boolean(node: ast.BoolOp, text: Text) -> Iterator[Change]:
    is_and = isinstance(node.op, ast.And)
    word, other, neutral = ("and", "or", b"True") if is_and else ("or", "and", b"False")
    for left, right in zip(node.values, node.values[1:], strict=False):
        yield from _between(text, "and-or", left, right, rf"\b{word}\b", other)
    for value in node.values:
        yield Change("operand", text.start(value), text.end(value), neutral)


def _negation(node: ast.UnaryOp, text: Text) -> Iterator[Change]:
    if isinstance(node.op, ast.Not):
        start, end = text.start(node), text.start(node.operand)
        yield Change("not", start, end, re.sub(rb"not\s*", b"", text.data[start:end], count=1))


def _condition(node: ast.If | ast.While | ast.IfExp | ast.Assert, text: Text) -> Iterator[Change]:
    yield from _turned(node.test, text)


def _filter(node: ast.comprehension, text: Text) -> Iterator[Change]:
    for condition in node.ifs:
        yield from _turned(condition, text)


def _turned(test: ast.expr, text: Text) -> Iterator[Change]:
    """Turn a condition round that no other operator changes."""
    if isinstance(test, ast.Compare | ast.BoolOp | ast.Constant | ast.NamedExpr):
        return
    if not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
        start, end = text.start(test), text.end(test)
        yield Change("condition", start, end, b"not (" + text.data[start:end] + b")")


def _arithmetic(node: ast.BinOp, text: Text) -> Iterator[Change]:
    if not any(_is_text(side) for side in (node.left, node.right)):
        old, new = ARITHMETIC.get(type(node.op), ("", ""))
        if old:
            yield from _between(text, "arithmetic", node.left, node.right, re.escape(old), new)


def _augmented(node: ast.AugAssign, text: Text) -> Iterator[Change]:
    old, new = ARITHMETIC.get(type(node.op), ("", ""))
    if old and not _is_text(node.value):
        pattern = re.escape(old) + "="
        yield from _between(text, "arithmetic", node.target, node.value, pattern, new + "=")


def _is_text(node: ast.expr) -> bool:
    """Whether any other operator would fail at once."""
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    )


def _constant(node: ast.Constant, text: Text) -> Iterator[Change]:
    for new in others_than(node.value):
        yield Change("constant", text.start(node), text.end(node), new.encode())


def others_than(value: object) -> list[str]:
    """Return what may stand for a constant. Text with blanks is prose, which only people read."""
    if isinstance(value, bool):
        return [str(not value)]
    if isinstance(value, int):
        return [str(other) for other in dict.fromkeys([value + 1, 0]) if other != value]
    if isinstance(value, float):
        return [str(value + 1)]
    if isinstance(value, str):
        return ['""'] if value and not re.search(r"\s", value.strip("\n")) else []
    return ['b""'] if isinstance(value, bytes) and value else []


def _return(node: ast.Return, text: Text) -> Iterator[Change]:
    if node.value and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield Change("return", text.start(node), text.end(node), b"return None")


def _raise(node: ast.Raise, text: Text) -> Iterator[Change]:
    yield Change("raise", text.start(node), text.end(node), b"pass")


def _statement(node: ast.Expr, text: Text) -> Iterator[Change]:
    if isinstance(node.value, ast.Call):
        yield Change("call", text.start(node), text.end(node), b"pass")


def _keywords(node: ast.Call, text: Text) -> Iterator[Change]:
    for keyword in node.keywords:
        if keyword.arg and keyword.arg not in PROSE:
            yield _without(text, text.start(keyword), text.end(keyword))


def _without(text: Text, start: int, end: int) -> Change:
    """Remove an argument, and the comma after it or else before it."""
    after = re.match(rb"\s*,[ \t]*", text.data[end:])
    before = re.search(rb",\s*$", text.data[:start])
    if after:
        return Change("keyword", start, end + after.end(), b"")
    return Change("keyword", before.start() if before else start, end, b"")


def _slice(node: ast.Slice, text: Text) -> Iterator[Change]:
    for bound in (node.lower, node.upper):
        if bound:
            yield Change("slice", text.start(bound), text.end(bound), b"")


def _jump(node: ast.Continue | ast.Break, text: Text) -> Iterator[Change]:
    new = b"break" if isinstance(node, ast.Continue) else b"continue"
    yield Change("jump", text.start(node), text.end(node), new)


OPERATORS: list[tuple[type | tuple[type, ...], Callable[..., Iterator[Change]]]] = [
    (ast.Compare, _comparison),
    (ast.BoolOp, _boolean),
    (ast.UnaryOp, _negation),
    ((ast.If, ast.While, ast.IfExp, ast.Assert), _condition),
    (ast.comprehension, _filter),
    (ast.BinOp, _arithmetic),
    (ast.AugAssign, _augmented),
    (ast.Constant, _constant),
    (ast.Return, _return),
    (ast.Raise, _raise),
    (ast.Expr, _statement),
    (ast.Call, _keywords),
    (ast.Slice, _slice),
    ((ast.Continue, ast.Break), _jump),
]
