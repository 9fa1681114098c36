"""Python files of the user's, parsed and never run."""

from __future__ import annotations

import ast
import os
import warnings

from clarifai_build.util.small_files import MIB, read_small

MAX_BYTES = MIB
"""Of a Python file that has to be looked into; parsed, it takes two hundred times its size."""


def parse_python(file: str | os.PathLike[str]) -> ast.Module:
    """Parse a file; raises OSError, SyntaxError or ValueError.

    CPython raises RecursionError or MemoryError for what is nested too deeply.
    """
    content = read_small(file, MAX_BYTES)
    with warnings.catch_warnings():
        # Python would write them to stderr, with what stands in the file, to whoever reads it.
        warnings.simplefilter("ignore")
        return ast.parse(content)
