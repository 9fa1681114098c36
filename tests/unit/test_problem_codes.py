"""Every code that the tool can print has its entry in docs/reference/problems.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
ENTRY = re.compile(r"^### (\S+)\n\n\*\*Cause\.\*\* .+\n\n\*\*Fix\.\*\* .+$", re.MULTILINE)
MAKERS = re.compile(r"(?i)problem|finding|of|refused?|_fatal|_error|_named_file|warn")


def codes_in(path: Path) -> Iterator[str]:
    """Yield the codes that a module hands to what makes problems."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            parts = (
                node.args if MAKERS.fullmatch(name.lstrip("_")) or MAKERS.fullmatch(name) else []
            )
        words = [part.value for part in parts if isinstance(part, ast.Constant)]
        codes = [word for word in words if isinstance(word, str) and CODE.fullmatch(word)]
        yield from codes[:1]


def test_every_code_is_documented() -> None:
    """Cause and fix of each, and nothing that is gone from the code."""
    package = ROOT / "builder" / "clarifai_build"
    files = [path for path in package.rglob("*.py") if "starters" not in path.parts]
    used = {code for path in files for code in codes_in(path)}
    page = (ROOT / "docs" / "reference" / "problems.md").read_text(encoding="utf-8")
    entries = ENTRY.findall(page)
    assert sorted(used - set(entries)) == []
    assert sorted(set(entries) - used) == []
    assert len(entries) == len(set(entries))
