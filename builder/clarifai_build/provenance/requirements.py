"""A model's requirements, and their resolution into pins with hashes by `uv pip compile`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from clarifai_build.errors import SourceError, cannot_read
from clarifai_build.util import children
from clarifai_build.util.child_environment import child_environment
from clarifai_build.util.small_files import read_small
from clarifai_build.validation.requirements_file import MAX_BYTES

# manylinux_2_28: wheels for glibc 2.28 (2018) or newer.
PLATFORM = "x86_64-manylinux_2_28"
"""Where models are served."""

_INCLUDE = re.compile(r"\s*(?:-r|-c|--requirement|--constraint)[\s=]\s*(\S+)")


def read(file: Path) -> bytes:
    """Read a requirements file."""
    try:
        return read_small(file, MAX_BYTES)
    except OSError as error:
        raise SourceError(cannot_read(file, error)) from error


def digest(file: Path) -> str:
    """Return the SHA-256 of a requirements file and of all that it includes."""
    contents = [hashlib.sha256(content).hexdigest() for content in _with_includes(file, set())]
    return hashlib.sha256("\n".join(contents).encode()).hexdigest()


def compile_pins(file: Path, python: str, previous: str) -> str:
    """Resolve requirements for a Python version; pins of `previous` that still fit stay."""
    from clarifai_build.util.scratch_folder import ScratchFolder

    with ScratchFolder() as folder:
        target = Path(folder, "requirements.txt")
        if previous:
            target.write_text(previous, encoding="utf-8")
        command = [
            *(_uv(), "pip", "compile", str(file), "--output-file", str(target), "--quiet"),
            *("--python-version", python, "--python-platform", PLATFORM, "--generate-hashes"),
            # No paths of this machine, no private index: the lock is committed.
            *("--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate"),
        ]
        done = children.run(command, cwd=file.parent, env=child_environment())
        if done.returncode:
            raise SourceError.of(
                "requirements-unresolved",
                f"the requirements of {file.name} can't be resolved for Python {python} "
                f"on {PLATFORM}: {done.stderr.strip()}",
                file=str(file),
                hint="loosen what conflicts, or correct the names",
            )
        return target.read_text(encoding="utf-8")


def _with_includes(file: Path, seen: set[Path]) -> Iterator[bytes]:
    # Files may include each other.
    if file.resolve() in seen:
        return
    seen.add(file.resolve())
    content = read(file)
    yield content
    for line in content.decode("utf-8", "replace").splitlines():
        if (match := _INCLUDE.match(line)) and "://" not in match[1]:
            yield from _with_includes(file.parent / match[1], seen)


def _uv() -> str:
    """Return the `uv` that is installed beside this tool, or else on the PATH."""
    import shutil

    try:
        import uv
    except ImportError:
        found = shutil.which("uv")
    else:
        found = uv.find_uv_bin()
    if found is None:
        raise SourceError.of(
            "uv-missing",
            "requirements are pinned by uv, which is not installed",
            hint="pip install 'clarifai-build[lock]'",
        )
    return found
