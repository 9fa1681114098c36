"""What Triton's python stub gets wrong for user code, put right before that code is loaded."""

from __future__ import annotations

import io
import locale
import sys


def use_utf8() -> None:
    """Make `open()` and `print()` take any text: the stub starts in ASCII whatever LANG says."""
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        # Without that locale (macOS, musl) the default is UTF-8 already.
        locale.setlocale(locale.LC_CTYPE, "")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
