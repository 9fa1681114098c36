"""Becomes another program that the kernel kills when its parent dies.

    python tether.py PARENT_PID COMMAND [ARGUMENT ...]

A program of its own rather than a `preexec_fn`: forking a process that uses gRPC is not safe.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

# From <sys/prctl.h>.
_PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Tie this process to its parent, then run the command in it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # A parent that died before the call above sends no signal any more.
    if os.getppid() == parent:
        os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
