"""Lets the processes that tests start see the mutant, too; no file of the package changes on disk.

Python imports this at its start when its folder is on PYTHONPATH.
"""

import os
from importlib.machinery import SourceFileLoader
from pathlib import Path

MODULE = "MUTATION_MODULE"
SOURCE = "MUTATION_SOURCE"


def substitute(path, source):
    """Compile `source` wherever the module at `path` is imported in this process from now on."""
    original = SourceFileLoader.get_code

    def get_code(self, fullname):
        if os.path.realpath(self.path) == path:
            return compile(source, path, "exec", dont_inherit=True)
        return original(self, fullname)

    SourceFileLoader.get_code = get_code


if MODULE in os.environ:
    substitute(os.environ[MODULE], Path(os.environ[SOURCE]).read_bytes())
