"""Ways out where this machine can't run the sandbox's engines, or a model's own tests."""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from clarifai_build.sandbox.engines import install, shell_safe_paths
from clarifai_build.util.cache_dir import cache_folder
from support.command_line import World, ended
from support.following import fine, live, told
from world.hints.platform import Following

# As the tests found it: it holds the engines, and environments that take long to install.
CACHE = cache_folder().parent
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
ENDS = "#!/bin/sh\necho 'the kernel is too old' >&2\nexit 3\n"


def model(world: World, variables: pytest.MonkeyPatch, more: str = "") -> Path:
    """Write a model for the Python that is here; environments are those of the user's cache."""
    variables.setenv("XDG_CACHE_HOME", str(CACHE))
    manifest = world.model(at=".")
    manifest.write_text(f"{manifest.read_text()}code: {{python: '{HERE}'{more}}}\n")
    return manifest


def script(file: Path, text: str) -> str:
    """Write a program; return its path."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return str(file)


def passed(*arguments: str) -> None:
    """Run the model's tests, and find that they ran."""
    ran = ended("test", *arguments)
    assert ran.code == 0, ran.out + ran.err
    assert " passed" in ran.out


def lacking(code: str, known: str) -> Following:
    """Return the way out of a Python that the engines can't embed: another one on PATH."""

    def follow(world: World, variables: pytest.MonkeyPatch) -> None:
        model(world, variables)
        found = install.install().interpreter
        assert found.version == HERE
        # It says of itself that it is another one; what it is asked besides, it does.
        probed = f'case "$3" in *LIBDIR*) echo {shlex.quote(known)}; exit;; esac'
        other = f'#!/bin/sh\n{probed}\nexec {shlex.quote(sys.executable)} "$@"\n'
        variables.setattr(sys, "executable", script(world.folder.parent / "python", other))
        places = world.folder.parent / "bin"
        places.mkdir()
        variables.setenv("PATH", str(places))
        said = told(code, "test", "--triton")
        assert "uv python install 3.11" in said
        assert "on PATH" in said
        (places / f"python{HERE}").symlink_to(found.executable)
        # The engines' own programs call others.
        variables.setenv("PATH", f"{places}:{os.defpath}")
        passed("--triton")

    return follow


def unsupported_platform(world: World, variables: pytest.MonkeyPatch) -> None:
    """One's own S3 and Clarifai need no engines."""
    world.model(at=".")
    with variables.context() as other:
        other.setattr(platform, "machine", lambda: "aarch64")
        said = told("unsupported-platform", "apply", "--sandbox")
        assert "apply to your own S3 and Clarifai without --sandbox" in said
        live()


def no_such_python(world: World, variables: pytest.MonkeyPatch) -> None:
    """Another one, in code.python."""
    manifest = model(world, variables)
    right = manifest.read_text()
    manifest.write_text(right.replace(f"'{HERE}'", "'3.8'" if HERE != "3.8" else "'3.9'"))
    with variables.context() as bare:
        bare.setenv("PATH", str(world.folder))
        bare.setenv("PYENV_ROOT", str(world.folder))
        assert "name another one in code.python" in told("no-such-python", "test")
    manifest.write_text(right)
    passed()


def environment_failed(world: World, variables: pytest.MonkeyPatch) -> None:
    """With the module, the environment is made, and the tests run in it."""
    model(world, variables)
    variables.setenv("PIP_CACHE_DIR", str(CACHE / "pip"))
    variables.setenv("PIP_NO_COMPILE", "1")
    variables.setenv("XDG_CACHE_HOME", str(world.folder.parent / "cache"))
    lacks = 'case "$3" in venv) echo "No module named venv" >&2; exit 1;; esac'
    text = f'#!/bin/sh\n{lacks}\nexec {shlex.quote(sys.executable)} "$@"\n'
    with variables.context() as without:
        without.setattr(sys, "executable", script(world.folder.parent / "python", text))
        said = told("environment-failed", "test")
    assert "No module named venv" in said
    assert "install Python's venv module" in said
    passed()


def installation_failed(world: World, variables: pytest.MonkeyPatch) -> None:
    """The log says which package there is not; without it, the tests run."""
    model(world, variables, ", requirements: requirements.txt")
    empty = world.folder.parent / "empty"
    empty.mkdir()
    Path("requirements.txt").write_text("numpy\nno-such-package==1.0\n")
    with variables.context() as alone:
        alone.setenv("PIP_NO_INDEX", "1")
        alone.setenv("PIP_FIND_LINKS", str(empty))
        alone.setenv("XDG_CACHE_HOME", str(world.folder.parent / "cache"))
        said = told("installation-failed", "test")
        assert "check the model's requirements" in said
        log = Path(re.search(r"the whole output is in (\S+)", said)[1])  # type: ignore[index]
        assert "No matching distribution found for" in log.read_text()
    Path("requirements.txt").write_text("numpy\n")
    passed()


def unusable_cache_path(world: World, variables: pytest.MonkeyPatch) -> None:
    """Another folder for the cache."""
    model(world, variables, ", requirements: requirements.txt")
    Path("requirements.txt").write_text("numpy\nsix==1.16.0\n")
    spaced = world.folder.parent / "a cache"
    with_engines(spaced)
    with variables.context() as spoilt:
        spoilt.setenv("XDG_CACHE_HOME", str(spaced))
        assert "set XDG_CACHE_HOME" in told("unusable-cache-path", "test", "--triton")
    passed("--triton")


def unsafe_links(world: World, variables: pytest.MonkeyPatch) -> None:
    """A folder without spaces in its path needs no link."""
    model(world, variables)
    shared, spaced = world.folder.parent / "shared", world.folder.parent / "a b"
    for folder in (shared, spaced):
        folder.mkdir()
    # Somebody was there first.
    (shared / f"clarifai-build-{os.getuid()}").symlink_to(world.folder)
    variables.setattr(shell_safe_paths, "_SHARED", shared)
    with variables.context() as spoilt:
        spoilt.setattr(tempfile, "tempdir", str(spaced))
        assert "for `test --triton` in TMPDIR" in told("unsafe-links", "test", "--triton")
    passed("--triton")


def with_engines(cache: Path, triton: str = "") -> None:
    """Let a cache hold the engines of the user's; `triton` stands in the place of the server."""
    engines = install.install()
    root = cache / "clarifai-build" / "engines" / engines.root.name
    if not triton:
        root.parent.mkdir(parents=True)
        root.symlink_to(engines.root)
        return
    server = engines.triton / "bin" / "tritonserver"
    at = engines.root
    for name in server.relative_to(engines.root).parts:
        (root / at.relative_to(engines.root)).mkdir(parents=True)
        for each in at.iterdir():
            if each.name != name:
                (root / each.relative_to(engines.root)).symlink_to(each)
        at /= name
    script(root / server.relative_to(engines.root), triton)


def named_log(said: str) -> str:
    """Read the log that a message names."""
    named = re.search(r"the whole log is (\S+)", said)
    assert named, said
    log = Path(named[1])
    text = log.read_text()
    log.unlink()
    return text


def engine_failed(world: World, variables: pytest.MonkeyPatch) -> None:
    """The log says why; with engines that run here, the model's tests do."""
    model(world, variables)
    broken = world.folder.parent / "broken"
    with_engines(broken, ENDS)
    with variables.context() as spoilt:
        spoilt.setenv("XDG_CACHE_HOME", str(broken))
        said = told("engine-failed", "test", "--triton")
    assert "ended with code 3" in said
    assert "the kernel is too old" in named_log(said)
    passed("--triton")


def triton_failed(world: World, variables: pytest.MonkeyPatch) -> None:
    """Message and log have the model's words; once that is mended, it loads."""
    model(world, variables)
    code = Path("inference.py").read_text()
    Path("inference.py").write_text(f"{code}\nraise RuntimeError('no vocabulary')\n")
    said = told("triton-failed", "test", "--triton")
    assert "no vocabulary" in said
    assert "no vocabulary" in named_log(said)
    Path("inference.py").write_text(code)
    passed("--triton")


def sandbox_failed(world: World, variables: pytest.MonkeyPatch) -> None:
    """The logs that are named say why; with engines that run here, it is up."""
    variables.setenv("XDG_CACHE_HOME", str(CACHE))
    broken, state = world.folder.parent / "broken", world.folder.parent / "state"
    with_engines(broken, ENDS)
    with variables.context() as spoilt:
        spoilt.setenv("XDG_CACHE_HOME", str(broken))
        said = told("sandbox-failed", "sandbox", "up", "--state", state)
    logs = Path(re.search(r"its logs are in (\S+)", said)[1])  # type: ignore[index]
    assert "the kernel is too old" in (logs / "triton.log").read_text()
    try:
        fine("sandbox", "up", "--state", state)
    finally:
        fine("sandbox", "down", "--state", state)


def sandbox_state_broken(world: World, variables: pytest.MonkeyPatch) -> None:
    """Its folder is removed, or it is stopped and started, as the message says."""
    variables.setenv("XDG_CACHE_HOME", str(CACHE))
    state = world.folder.parent / "state"
    state.mkdir()
    (state / "state.json").write_text("{")
    assert f"remove {state}" in told("sandbox-state-broken", "sandbox", "up", "--state", state)
    shutil.rmtree(state)
    try:
        fine("sandbox", "up", "--state", state)
        (state / "state.json").unlink()
        said = told("sandbox-state-broken", "sandbox", "status", "--state", state)
        assert "stop it with 'clarifai-build sandbox down' and start it again" in said
        fine("sandbox", "down", "--state", state)
        fine("sandbox", "up", "--state", state)
        fine("sandbox", "status", "--state", state)
    finally:
        fine("sandbox", "down", "--state", state)


FOLLOWED: Mapping[str, Following] = {
    "engine-failed": engine_failed,
    "environment-failed": environment_failed,
    "installation-failed": installation_failed,
    "no-python-for-triton": lacking("no-python-for-triton", '["3.13", "/python", "/lib", true]'),
    "no-shared-python": lacking("no-shared-python", f'["{HERE}", "/python", null, true]'),
    "no-such-python": no_such_python,
    "sandbox-failed": sandbox_failed,
    "sandbox-state-broken": sandbox_state_broken,
    "triton-failed": triton_failed,
    "unsafe-links": unsafe_links,
    "unsupported-platform": unsupported_platform,
    "unusable-cache-path": unusable_cache_path,
}
