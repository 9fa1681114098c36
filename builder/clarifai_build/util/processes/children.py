"""Starts child processes: what one inherits is said at each start, and nothing else comes along.

A child that starts in the folder one happens to stand in takes what lies there for its own:
`1/model.py` for Triton's Python, `security.toml` for SeaweedFS, `grpc.py` for `python -m`.
"""

from __future__ import annotations

import codecs
import errno
import os
import selectors
import shutil
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

UMASK = 0o022
"""For files that others of this machine may read, such as an environment in a shared cache."""

PRIVATE_UMASK = 0o077
"""For servers, whose data are their user's alone."""

_BLOCK = 64 * 1024
# Characters of a line that is shown in one piece.
_LONGEST_LINE = 1024 * 1024
# Seconds after which it is looked whether a silent program has ended.
_LOOK_AGAIN = 0.2


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    umask: int = UMASK,
    pass_fds: Collection[int] = (),
    errors: str = "replace",
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, and return what it wrote; it has nothing to read.

    `errors` is how what is no UTF-8 is decoded. Raises OSError where there is no such program.
    """
    return subprocess.run(
        _absolute(command, env),
        cwd=cwd,
        env=dict(env),
        umask=umask,
        pass_fds=tuple(pass_fds),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors=errors,
        check=False,
    )


def exchange(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], given: bytes
) -> subprocess.CompletedProcess[bytes]:
    """Run a program that reads `given` to its end, and return the bytes that it wrote.

    Raises OSError where there is no such program.
    """
    return subprocess.run(
        _absolute(command, env),
        cwd=cwd,
        env=dict(env),
        umask=UMASK,
        input=given,
        capture_output=True,
        check=False,
    )


def run_in_sight(command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> int:
    """Run a program that writes to this process's own output, and return its exit code.

    It may read the terminal, as a debugger does, but nothing that is meant for this process.
    """
    return subprocess.run(
        _absolute(command, env),
        cwd=cwd,
        env=dict(env),
        umask=UMASK,
        stdin=None if _reads_terminal() else subprocess.DEVNULL,
        check=False,
    ).returncode


def run_shown(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], show: Callable[[str], None]
) -> int:
    """Run a program whose output, errors among it, is shown line by line; return its exit code.

    Of what it left running nothing is waited for, though that may still hold its output open.
    """
    lines = _Lines(show)
    with start(command, cwd=cwd, env=env) as process, selectors.DefaultSelector() as ready:
        output = process.stdout
        assert output is not None  # as `start` asks for it
        ready.register(output, selectors.EVENT_READ)
        try:
            while True:
                ended = process.poll() is not None
                if ready.select(0 if ended else _LOOK_AGAIN):
                    if not (block := os.read(output.fileno(), _BLOCK)):
                        break
                    lines.add(block)
                elif ended:
                    break
            lines.end()
            return process.wait()
        except BaseException:
            process.kill()
            raise


class _Lines:
    """Lines of a program's output, of which one without end is shown in pieces."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def add(self, block: bytes) -> None:
        *lines, self._rest = (self._rest + self._decoder.decode(block)).split("\n")
        if len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
            self._rest = ""
        for line in lines:
            self._show(line)

    def end(self) -> None:
        if rest := self._rest + self._decoder.decode(b"", final=True):
            self._show(rest)


def start(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], pass_fds: Collection[int] = ()
) -> subprocess.Popen[str]:
    """Start a program whose output, errors among it, is read line by line from its `stdout`."""
    return subprocess.Popen(
        _absolute(command, env),
        cwd=cwd,
        env=dict(env),
        umask=UMASK,
        pass_fds=tuple(pass_fds),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )


def start_server(
    command: Sequence[str], log: Path, *, cwd: Path, env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start a server that writes to `log`, away from this terminal and its Ctrl-C."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab", opener=_private) as output:
        return subprocess.Popen(
            _absolute(command, env),
            cwd=cwd,
            env=dict(env),
            umask=PRIVATE_UMASK,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def empty_folder(path: Path) -> Path:
    """Return `path` as a folder of the user's that holds nothing: for a server to start in."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _absolute(command: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """Return a command by the path of its program, which holds in whatever folder it starts.

    The system would look for it there only after it has entered that folder, and a `.` in PATH
    would run a `git` that lies in a model's repository.
    """
    program, *arguments = command
    if os.sep in program:
        return [str(Path(program).absolute()), *arguments]
    places = env.get("PATH", os.defpath).split(os.pathsep)
    path = os.pathsep.join(place for place in places if Path(place).is_absolute())
    # An empty path would have `which` look at this process's own.
    found = shutil.which(program, path=path) if path else None
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
    return [found, *arguments]


def _private(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, 0o600)
    # Whatever the umask of this process: who starts a server reads what it wrote.
    os.fchmod(descriptor, 0o600)
    return descriptor


def _reads_terminal() -> bool:
    try:
        return os.isatty(0)
    except OSError:
        return False
