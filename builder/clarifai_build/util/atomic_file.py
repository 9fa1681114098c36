"""Atomic writes, what a file is called until it is whole, and the end of those that never are.

Who writes a file holds a lock on it, which the kernel releases when they die, however they die.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import time
from contextlib import suppress
from pathlib import Path

_TAG = "clarifai-build"
_UNFINISHED = re.compile(rf"\..+\.(\d+-[0-9a-f]{{8}}|{_TAG}\.\d+-[0-9a-z_]{{8}})", re.DOTALL)
# With a name of ours in it, for nothing else is removed.
_OURS = re.compile(rf"(?:\..+\.{_TAG}\.|{_TAG}-)(\d+)-[0-9a-z_]{{8}}", re.DOTALL)
_LONGEST_STEM = 50  # a target's name may be as long as names can be; the mark makes it no longer
# A process of this number lives: it may be another, or be about to take its lock.
_ABANDONED_SECONDS = 60.0


def atomic_write(file: Path, content: bytes) -> None:
    """Replace a file; raises OSError on failure, and leaves no partial file behind."""
    file = Path(os.path.realpath(file))  # a link stays one
    remove_abandoned(file.parent)
    partial, descriptor = open_partial(file)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        partial.replace(file)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def open_partial(target: Path, mode: int = 0o666) -> tuple[Path, int]:
    """Create the file in which a target is written, locked until its descriptor is closed."""
    while True:
        partial = partial_path(target, fresh_mark())
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        if hold(descriptor, partial):
            return partial, descriptor
        # Somebody took it for abandoned before it was locked.
        os.close(descriptor)


def partial_path(target: Path, mark: str) -> Path:
    """Return where a file is written, beside its target, until it is whole."""
    return target.with_name(f".{target.name[:_LONGEST_STEM]}.{_TAG}.{mark}")


def fresh_mark() -> str:
    """Return a suffix that makes partial files of different processes distinct."""
    # tempfile's import alone takes as long as packing a hundred files.
    return f"{os.getpid()}-{os.urandom(4).hex()}"


def scratch_prefix(target: Path | None = None) -> str:
    """Return how the name of a folder begins that is written beside `target`, or for a while."""
    if target is None:
        return f"{_TAG}-{os.getpid()}-"
    return partial_path(target, f"{os.getpid()}-").name


def is_unfinished(name: str) -> bool:
    """Return whether `name` is one of a file that is not whole yet."""
    return _UNFINISHED.fullmatch(name) is not None


def is_partial(name: str) -> bool:
    """Return whether `name` is one that this tool gives to what it is writing."""
    return _OURS.fullmatch(name) is not None


def hold(descriptor: int, path: Path) -> bool:
    """Lock a file or folder that was just made; say whether it is still there."""
    if os.name == "posix":
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        # A mount without locks: nobody else can lock it, either, and it is never removed.
        except OSError:
            return True
        try:
            return os.path.samestat(os.fstat(descriptor), path.lstat())
        except FileNotFoundError:
            return False
    return True


def remove_abandoned(folder: Path) -> None:
    """Remove from a folder what processes that were killed left unfinished there."""
    with suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208 - a Path each would take half the time
            if is_partial(name):
                remove_if_abandoned(folder / name)


def remove_if_abandoned(path: Path) -> bool:
    """Remove an unfinished file or folder of this user's unless somebody writes it; say so."""
    matched = _OURS.fullmatch(path.name)
    if matched is None or os.name != "posix":
        return False
    import fcntl

    with suppress(OSError):
        status = path.lstat()
        is_folder = stat.S_ISDIR(status.st_mode)
        # Neither a link nor a pipe, which would lead elsewhere, or block.
        if status.st_uid != os.geteuid() or not (is_folder or stat.S_ISREG(status.st_mode)):
            return False
        # Not the time of its content: what is moved aside for a moment may be old.
        if _lives(int(matched[1])) and time.time() - status.st_ctime < _ABANDONED_SECONDS:
            return False
        mode = os.O_RDONLY if is_folder else os.O_RDWR
        descriptor = os.open(path, mode | os.O_NONBLOCK | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Under the lock: whoever has just made it sees that it is gone, and makes another.
            shutil.rmtree(path) if is_folder else path.unlink()
            return True
        finally:
            os.close(descriptor)
    return False


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return not _has_ended(pid)


def _has_ended(pid: int) -> bool:
    """Return whether a process has ended, and nobody has asked how: in containers, nobody may."""
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    # After its name, which may hold anything.
    return status.rpartition(b")")[2].split()[:1] in ([b"Z"], [b"X"])
