"""Which process this is, on which machine, so that another can tell whether it still lives.

A host's name does not do: containers share them, and so do machines. What does is the boot of the
kernel together with the namespace that gives process ids their meaning, and of a process its number
together with when it began, since numbers are given out again.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
# Fields of /proc/PID/stat behind the name, which may hold anything: state is the 3rd of all.
_STATE, _STARTED = 0, 19
_ENDED = frozenset("ZXx")


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process; `machine` is empty where it can't be told, as on systems without /proc."""

    machine: str = ""
    pid: int = 0
    started: int = 0

    @classmethod
    def own(cls) -> ProcessIdentity:
        """Return that of this process."""
        machine, pid = _machine(), os.getpid()
        stat = _stat_of("self")
        # Mounted for another namespace, /proc speaks of other processes by the same numbers.
        if not machine or stat is None or stat[0] != pid:
            return cls()
        return cls(machine, pid, int(stat[1][_STARTED]))

    def is_dead(self) -> bool:
        """Return whether the process certainly has ended: it ran here, and does not any more."""
        if not self.machine or self.machine != ProcessIdentity.own().machine:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:  # it is another user's, and lives
            pass
        stat = _stat_of(str(self.pid))
        if stat is None:
            return False  # /proc may hide what is another user's
        return stat[1][_STATE] in _ENDED or int(stat[1][_STARTED]) != self.started


UNKNOWN = ProcessIdentity()


def _machine() -> str:
    """Return what no two sets of process ids share, as a digest: it is nobody's business which."""
    boot, numbers = _text(_PROC / "sys/kernel/random/boot_id"), _namespace("pid")
    if not boot or not numbers:
        return ""
    # Of another time namespace, a process seems to have begun at another time.
    parts = [boot, numbers, _namespace("time"), _text(Path("/etc/machine-id")), os.uname().nodename]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def _namespace(kind: str) -> str:
    try:
        found = (_PROC / "self/ns" / kind).stat()
    except OSError:
        return ""
    return f"{found.st_dev}:{found.st_ino}"


def _stat_of(process: str) -> tuple[int, list[str]] | None:
    """Return the number of a process, and the fields behind its name; None where it is hidden."""
    text = _text(_PROC / process / "stat")
    number, _, _ = text.partition(" ")
    fields = text.rpartition(")")[2].split()
    return (int(number), fields) if number.isdecimal() and len(fields) > _STARTED else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
