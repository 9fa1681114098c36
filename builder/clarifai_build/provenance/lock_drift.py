"""What has moved since a lock was made, and who refuses to go on then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from clarifai_build._version import __version__
from clarifai_build.errors import Problem
from clarifai_build.manifest.types import Manifest, Target
from clarifai_build.provenance import requirements as resolving
from clarifai_build.provenance.lock import (
    AGAIN,
    Lock,
    LockError,
    path_of,
    problem,
    read,
    weights_of,
)
from clarifai_build.repository_layout import REQUIREMENTS
from clarifai_build.targets.runner.requirements import flat
from clarifai_build.targets.toolchain import current_toolchain
from clarifai_build.util.text import short

_OTHER: dict[Target, Target] = {"triton": "runner", "runner": "triton"}


def drift(lock: Lock | None, manifest: Manifest) -> tuple[Problem, ...]:
    """Return what has moved since the lock was made; nothing where a build keeps to it."""
    path = path_of(manifest)
    if lock is None:
        return (problem("lock-missing", "there is no lock", path),)
    return (
        *_tool_drift(lock, path),
        *_weight_drift(lock, manifest),
        *_source_drift(lock, manifest),
    )


def check_lock(manifest: Manifest) -> None:
    """Raise LockError, naming all that has moved, unless the lock is there and up to date."""
    if moved := drift(read(path_of(manifest)), manifest):
        raise LockError(*moved)


def requirements_of(manifest: Manifest) -> bytes | None:
    """Return the artifact's requirements.txt: the lock's, else the user's, else None.

    A runner always has one. Raises LockError where the lock pins other requirements than the
    manifest has now.
    """
    content = _content_of(manifest)
    if manifest.target == "triton":
        return content
    return flat(content or b"", manifest.code.python, str(manifest.code.requirements or ""))


def _content_of(manifest: Manifest) -> bytes | None:
    lock = read(path_of(manifest))
    if lock is None:
        source = manifest.code.requirements
        return resolving.portable(source, manifest.path.parent) if source else None
    if moved := tuple(_source_drift(lock, manifest)):
        raise LockError(*moved)
    return lock.requirements.text.encode() if lock.requirements else None


def _tool_drift(lock: Lock, path: Path) -> Iterator[Problem]:
    now = current_toolchain()
    for name in ("template", "runtime"):
        before, after = getattr(lock, f"{name}_sha256"), now[f"{name}_sha256"]
        if before != after:
            yield problem(
                "lock-tool",
                f"the {name} has changed: the lock was made by clarifai-build {lock.tool} with "
                f"{short(before)}, this is {__version__} with {short(after)}",
                path,
                f"for the same bytes use clarifai-build {lock.tool} "
                f"(`pip install clarifai-build=={lock.tool}`); to go on with this one, {AGAIN}",
            )


def _weight_drift(lock: Lock, manifest: Manifest) -> Iterator[Problem]:
    now = weights_of(manifest)
    for name in sorted(lock.weights.keys() | now.keys()):
        before, after = lock.weights.get(name), now.get(name)
        if before != after:
            what = f"the lock has {_short(before)}, the manifest {_short(after)}"
            yield problem("lock-weights", f"weight {name}: {what}", path_of(manifest))


def _source_drift(lock: Lock, manifest: Manifest) -> Iterator[Problem]:
    path, pinned, source = path_of(manifest), lock.requirements, manifest.code.requirements
    target = manifest.target
    if pinned and pinned.source == resolving.digest(source, _OTHER[target]):
        what = f"the pins are for target {_OTHER[target]}, the manifest's is {target}"
        yield problem("lock-target", what, path)
        return
    if pinned is None or (source is None and target == "triton"):
        if pinned or source or target == "runner":
            what = "no longer has requirements" if pinned else "has requirements now"
            yield problem("lock-requirements", f"the model {what}", path)
        return
    if pinned.source != resolving.digest(source, target):
        name = source.name if source else REQUIREMENTS
        yield problem("lock-requirements", f"{name} has changed since the lock was made", path)
    if pinned.python != manifest.code.python:
        what = f"the pins are for Python {pinned.python}, the model's is {manifest.code.python}"
        yield problem("lock-python", what, path)


def _short(digest: str | None) -> str:
    return short(digest) if digest else "none"
