"""A model's requirements, and their resolution into pins with hashes by `uv pip compile`."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from clarifai_build.errors import SourceError
from clarifai_build.manifest.types import Target
from clarifai_build.provenance import uv_arguments
from clarifai_build.provenance.uv_arguments import FORMATS, PLACES
from clarifai_build.requirements.inlined import Inlined, Part, inline
from clarifai_build.requirements.location import Location, is_local, location_of
from clarifai_build.requirements.reader import Line
from clarifai_build.source.content_checks import is_pointer
from clarifai_build.targets.runner.requirements import sdk_of
from clarifai_build.targets.runner.sdk import CLARIFAI, CLARIFAI_FOR_NUMPY_1
from clarifai_build.util.processes.child_environment import child_environment

# manylinux_2_28: wheels for glibc 2.28 (2018) or newer.
PLATFORM = "x86_64-manylinux_2_28"
"""Where models are served."""

# Of what a file says for all its requirements, what tells where they come from.
_SOURCES = (*PLACES, "--trusted-host", *FORMATS)


def portable(file: Path, base: Path) -> bytes:
    """Return what a file says with all that it includes from the folder `base`.

    Raises SourceError where some of it works on this machine alone.
    """
    found = inline(file, base)
    # Whoever checks contents tells what a pointer is; read as requirements, it would be nonsense.
    if not is_pointer(found.content):
        _refuse_errors(found)
    return found.content


def digest(file: Path | None, target: Target = "triton") -> str:
    """Return the SHA-256 of a requirements file and of all that it includes, for a target."""
    parts = _all_of(file).parts if file else ()
    contents = [hashlib.sha256(part.content).hexdigest() for part in parts]
    # Not for Triton, whose locks are older than the other target.
    contents += [] if target == "triton" else [f"target {target}"]
    return hashlib.sha256("\n".join(contents).encode()).hexdigest()


def sources(file: Path, base: Path) -> tuple[str, ...]:
    """Return the options that say where the requirements come from, for whom installs the pins.

    What only this machine reaches is left out. Raises SourceError for a password: a lock is
    committed, and published with the artifact.
    """
    found = inline(file, base, locked=True)
    _refuse_errors(found)
    for part, line in found.lines:
        _refuse_credentials(part, line)
    settings = [line for _, line in found.lines if line.is_setting]
    options = [
        f"{option} {shlex.quote(value)}"
        for line in settings
        for option in _SOURCES
        for value in line.values(option)
        if option not in PLACES or not is_local(value)
    ]
    return tuple(dict.fromkeys([*_no_index(settings), *options]))


def _no_index(lines: Sequence[Line]) -> Iterator[str]:
    """Keep `--no-index` where all that replaces the index can be reached from elsewhere, too."""
    replaced = any(is_local(place) for line in lines for place in line.values("--find-links"))
    if not replaced and any(line.values("--no-index") for line in lines):
        yield "--no-index"


def _refuse_errors(found: Inlined) -> None:
    if errors := [problem for problem in found.problems if problem.severity == "error"]:
        raise SourceError(*errors)


def _refuse_credentials(part: Part, line: Line) -> None:
    places = [Location(place) for option in PLACES for place in line.values(option)]
    if found := location_of(line.editable or line.requirement):
        places.append(found)
    if any(not place.is_local and place.has_credentials for place in places):
        message = "a lock is public, and an address of this line has a user or a password in it"
        hint = "the platform can install only what anyone can fetch: name another place"
        raise SourceError(part.problem(line, "requirement-credentials", message, hint))


def compile_with_sdk(file: Path | None, manifest: Path, python: str, previous: str) -> str:
    """Resolve requirements, if there are any, with the SDK that a runner needs beside them."""
    lines = [line for _, line in _all_of(file).lines] if file else []
    sdk = sdk_of(lines)
    try:
        return compile_pins(file or manifest, python, previous, sdk, empty=file is None)
    except SourceError:
        # What the packages need themselves may be an older numpy, and with it an older SDK.
        if sdk != f"clarifai=={CLARIFAI}":
            raise
        older = f"clarifai=={CLARIFAI_FOR_NUMPY_1}"
        return compile_pins(file or manifest, python, previous, older, empty=file is None)


def compile_pins(file: Path, python: str, previous: str, *further: str, empty: bool = False) -> str:
    """Resolve requirements for a Python version; pins of `previous` that still fit stay.

    `further` ones are resolved with those of the file; with `empty`, they are all there are.
    """
    # Imported on use: most commands only read what a lock says.
    from clarifai_build.util.processes import children
    from clarifai_build.util.processes.scratch_folder import ScratchFolder

    found = Inlined((), (), (), ()) if empty else _all_of(file)
    with ScratchFolder() as folder:
        target, beside = Path(folder, "pins.txt"), Path(folder, "further.txt")
        beside.write_text("".join(f"{one}\n" for one in further), encoding="utf-8")
        if previous:
            target.write_text(previous, encoding="utf-8")
        command = [
            *(_uv(), "pip", "compile", *uv_arguments.inputs(found, Path(folder))),
            *([str(beside)] if further else []),
            *uv_arguments.options(found),
            *("--output-file", str(target), "--quiet"),
            *("--python-version", python, "--python-platform", PLATFORM, "--generate-hashes"),
            # `sources` tells them: uv would write paths of this machine and passwords, too.
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


def _all_of(file: Path) -> Inlined:
    """Read a file and all that it includes, wherever that lies. Raises SourceError."""
    found = inline(file, Path(file.absolute().anchor), locked=True)
    if missing := [problem for problem in found.problems if problem.code == "requirement-include"]:
        raise SourceError(*missing)
    return found


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
