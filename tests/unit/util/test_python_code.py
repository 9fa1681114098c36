"""Python files are parsed within a limit, and without a word on stderr."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path

import pytest

from clarifai_build.util.python_code import MAX_BYTES, nodes_of, parse_python
from clarifai_build.util.small_files import TooLargeError


def test_a_file_is_parsed_and_not_run(tmp_path: Path) -> None:
    """What comes back is its syntax tree; a declared encoding is heeded."""
    file = tmp_path / "code.py"
    file.write_bytes(b"# -*- coding: latin-1 -*-\nname = '\xe9'\n")
    (assigned,) = parse_python(file).body
    assert ast.unparse(assigned) == "name = 'é'"


def test_a_file_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    """A tree takes many times the room of its text."""
    (tmp_path / "code.py").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(TooLargeError):
        parse_python(tmp_path / "code.py")


def test_the_parser_warns_nobody(tmp_path: Path) -> None:
    """Warnings quote the file; who wrote it sees them when it runs."""
    (tmp_path / "code.py").write_text("pattern = '\\d'\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse_python(tmp_path / "code.py").body


def test_nodes_come_in_the_order_of_the_library() -> None:
    """The first of several that are wrong is told first; this file has most kinds of nodes."""
    tree = parse_python(__file__)
    nodes = nodes_of(tree)
    assert nodes == list(ast.walk(tree))
    assert len(nodes) > 100
