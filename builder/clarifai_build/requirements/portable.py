"""What of a requirement works on the machine that it was written on, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from clarifai_build.errors import Severity
from clarifai_build.requirements.location import Location, is_local, is_loopback, location_of
from clarifai_build.requirements.markers import is_for_linux
from clarifai_build.requirements.reader import Line

# Of each there are no files for Linux, and no sources that build there.
_ONLY_ON = {
    "Windows": (
        *("pywin32", "pypiwin32", "pywinpty", "windows-curses"),
        *("tensorflow-intel", "triton-windows"),
    ),
    "macOS": ("tensorflow-macos", "tensorflow-metal", "pyobjc"),
}
_SYSTEMS = {name: system for system, names in _ONLY_ON.items() for name in names}
_MARKS = {"Windows": "sys_platform == 'win32'", "macOS": "sys_platform == 'darwin'"}
_CONDA = re.compile(r"(?P<name>[A-Za-z0-9._-]+)=(?P<version>[0-9][^=\s]*)(?:=\S+)?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PLACES = ("--index-url", "--extra-index-url", "--find-links")

_BY_VERSION = "name its version, as in `{}==1.0`: `pip list --format=freeze` writes all of them so"
_TAKE_ALONG = (
    "put its code into the model's folder, or publish it where the platform can fetch it, and name "
    "its https address"
)


class Finding(NamedTuple):
    """Why a line can't be followed elsewhere."""

    code: str
    message: str
    hint: str
    severity: Severity = "error"


def findings(line: Line, *, locked: bool) -> Iterator[Finding]:
    """Yield what keeps a line from working where models are served.

    With a lock, where pins stand in the line's place, files are only looked for when it is made.
    """
    if line.variables:
        yield _variables(line.variables)
    elif line.is_setting:
        yield from _of_places(line, locked=locked)
    elif not is_for_linux(line.requirement):
        return
    elif found := location_of(line.editable or line.requirement):
        yield from _of_location(found)
    elif system := _system(line.requirement):
        yield _other_system(line.requirement, system)


def conda_version(requirement: str) -> str | None:
    """Return a line of `conda list --export` as pip would have it; None for all others."""
    found = _CONDA.fullmatch(requirement)
    return found and f"{found['name']}=={found['version']}"


def _variables(names: list[str]) -> Finding:
    return Finding(
        "requirement-environment",
        f"pip would take {', '.join(names)} from the environment, which the platform does not have",
        "write the value out; what needs a password can't be installed there: put its code into "
        "the model's folder",
    )


def _of_places(line: Line, *, locked: bool) -> Iterator[Finding]:
    for option in _PLACES:
        for place in line.values(option):
            if is_local(place):
                yield _local_place(option, place, locked=locked)
            elif is_loopback(place):
                yield _loopback(place)
    if line.constrained_by and not locked:
        yield Finding(
            "requirement-constraint",
            f"the artifact holds one requirements file, and '{line.constrained_by[0]}' is another",
            "run `clarifai-build lock`, which resolves with it, or write its bounds beside the "
            "requirements they are for",
        )


def _local_place(option: str, place: str, *, locked: bool) -> Finding:
    if locked:
        return Finding(
            "requirement-local",
            f"the platform has no '{place}': it looks for the pinned packages on its own index",
            "see that they are there, with the same hashes",
            "warning",
        )
    return Finding(
        "requirement-local",
        f"{option} '{place}' is a place on this machine",
        "remove it where the index has the packages too, or run `clarifai-build lock` to pin "
        "which are meant; of others, put the code into the model's folder",
    )


def _of_location(found: Location) -> Iterator[Finding]:
    if found.is_local:
        hint = _BY_VERSION.format(found.name) if found.name else _TAKE_ALONG
        yield Finding("requirement-local", f"'{found.text}' is a place on this machine", hint)
    elif found.needs_ssh_key:
        yield Finding(
            "requirement-local",
            f"'{found.text}' takes an SSH key, which the platform does not have",
            "name it by https where anyone may fetch it (git+https://…), or put its code into the "
            "model's folder",
        )
    elif found.is_loopback:
        yield _loopback(found.text)
    elif platform := found.foreign_platform:
        yield Finding(
            "requirement-platform",
            f"the wheel is for {platform}; models are served on Linux x86-64",
            "name the one for manylinux, or the version alone",
        )


def _loopback(place: str) -> Finding:
    return Finding(
        "requirement-local",
        f"'{place}' is a server on this machine: only the sandbox reaches it",
        "name an index that the platform can reach before you apply to it",
        "warning",
    )


def _system(requirement: str) -> str:
    """Return the system that a package without a marker is for, where that is not Linux."""
    name = _NAME.match(requirement)
    if name is None:
        return ""
    known = re.sub(r"[-_.]+", "-", name[0]).lower()
    return _SYSTEMS.get(known) or ("macOS" if known.startswith("pyobjc-") else "")


def _other_system(requirement: str, system: str) -> Finding:
    return Finding(
        "requirement-platform",
        f"'{requirement}' can be installed on {system} alone; models are served on Linux",
        f"remove it, or write `{requirement} ; {_MARKS[system]}`",
    )
