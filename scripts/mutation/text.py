"""The text of a module by the positions that its syntax tree gives."""

from __future__ import annotations

import ast
from itertools import accumulate


class Text:
    """A module's bytes. Columns of a syntax tree count bytes, so characters would be wrong."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._starts = [0, *accumulate(len(line) for line in data.splitlines(keepends=True))]

    def start(self, node: ast.AST) -> int:
        """Return where the node begins."""
        return self._starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]

    def end(self, node: ast.AST) -> int:
        """Return where the node ends."""
        return self._starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]

    def line_of(self, offset: int) -> int:
        """Return the number of the line that the byte is in, from 1."""
        return self.data.count(b"\n", 0, offset) + 1

    def replaced(self, start: int, end: int, new: bytes) -> bytes:
        """Return the bytes with one span replaced, and every later line on its old number."""
        lost = self.data.count(b"\n", start, end) - new.count(b"\n")
        return self.data[:start] + new + b"\n" * lost + self.data[end:]

    def lines(self, start: int, end: int) -> tuple[int, int]:
        """Return the first and the last line of a span."""
        return self.line_of(start), self.line_of(max(start, end - 1))


def shown(data: bytes, first: int, last: int) -> str:
    """Return some lines as one, without indentation, as a person compares them."""
    lines = data.split(b"\n")[first - 1 : last]
    return b" ".join(stripped for line in lines if (stripped := line.strip())).decode()
