"""Python's search for garbage, in a process that makes thousands of objects and soon ends."""

from __future__ import annotations

import atexit
import gc

_OBJECTS = 100_000


def search_seldom() -> None:
    """Search after so many new objects, not hundreds, and not at all at the process's end.

    It holds for the whole process, so that a command says it, and no library function. A tree of
    5,000 files is some 15,000 objects, none of them garbage; to search them again and again takes
    10 ms, and once more at the end 6 to 30.
    """
    gc.set_threshold(_OBJECTS)
    atexit.register(gc.freeze)
