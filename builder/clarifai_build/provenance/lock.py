"""`clarifai.lock`: what a manifest leaves open, pinned, so that a rebuild gives the same bytes.

It lies beside the manifest and is committed with it. Requirements are resolved for the model's
Python and platform, with hashes, by `uv pip compile`; where there is a lock, they stand in the
artifact in place of the user's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarifai_build._version import __version__
from clarifai_build.errors import BuilderError, Problem, cannot_write
from clarifai_build.manifest.types import Manifest
from clarifai_build.provenance import requirements as resolving
from clarifai_build.source.named_files import lock_of
from clarifai_build.targets.toolchain import current_toolchain
from clarifai_build.util.atomic_file import atomic_write
from clarifai_build.util.canonical_json import json_sha256
from clarifai_build.util.small_files import MIB, read_small_json

if TYPE_CHECKING:
    from clarifai_build.digests.known import KnownContent

# Raised when an older tool would misread the file; read() then refuses it.
FORMAT = 2
# What holds no contents is written in the form before, which older tools read, too.
_WITHOUT_CONTENTS = 1
_MAX_BYTES = 16 * MIB
AGAIN = "run `clarifai-build lock` and commit what it writes"
_ANEW = "restore it from Git, or remove it and run `clarifai-build lock`"


class LockError(BuilderError):
    """The lock is missing, out of date, or was edited by hand."""

    # As an invalid manifest: the sources have to be changed, not the environment.
    exit_code = 3


@dataclass(frozen=True, slots=True)
class Requirements:
    """Pinned requirements: what they were resolved from (SHA-256), for what, and the pins.

    Before the pins stand the options that say where they come from.
    """

    source: str
    python: str
    platform: str
    pins: tuple[str, ...]

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.pins)

    @property
    def without_options(self) -> str:
        """The packages and their hashes alone, without where they come from."""
        return "".join(f"{line}\n" for line in self.pins if not line.startswith("-"))


@dataclass(frozen=True, slots=True)
class Lock:
    """What is pinned. `weights` maps places under `1/` to SHA-256s.

    `contents` are sizes and CRC-32s of those weights that are known, by SHA-256.
    """

    tool: str
    template: int
    template_sha256: str
    runtime_sha256: str
    weights: Mapping[str, str]
    requirements: Requirements | None
    contents: Mapping[str, KnownContent] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over the canonical JSON of all that is pinned."""
        return _digest(_body(self))


def path_of(manifest: Manifest) -> Path:
    """Return where the lock of a manifest lies."""
    return lock_of(manifest.path)


def make(
    manifest: Manifest,
    previous: Lock | None = None,
    contents: Mapping[str, KnownContent] = {},
    *,
    upgrade: bool = False,
) -> Lock:
    """Pin everything. Pins that still fit stay, unless `upgrade` asks for the newest."""
    pinned = previous.requirements if previous and not upgrade else None
    return Lock(
        **current_toolchain(),
        weights=weights_of(manifest),
        requirements=_resolve(manifest, pinned),
        contents=contents,
    )


def write(lock: Lock, path: Path) -> None:
    """Write the lock; its own digest stands in it, so that edits by hand are noticed."""
    form = FORMAT if lock.contents else _WITHOUT_CONTENTS
    text = json.dumps({"format": form, "digest": lock.digest, **_body(lock)}, indent=2)
    try:
        atomic_write(path, f"{text}\n".encode())
    except OSError as error:
        raise LockError(cannot_write(path, error)) from error


def read(path: Path) -> Lock | None:
    """Read a lock; None where there is no file. Raises LockError for one that was edited."""
    try:
        data = read_small_json(path, _MAX_BYTES)
        found, expected = data.pop("format"), data.pop("digest")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _error("lock-unreadable", f"it can't be read: {error}", path) from error
    if found not in (FORMAT, _WITHOUT_CONTENTS):
        raise _error(
            "lock-format",
            f"it has format {found}; clarifai-build {__version__} knows formats up to {FORMAT}",
            path,
            hint=f"it was made by clarifai-build {data.get('tool')}: use that, or a newer one",
        )
    if expected != _digest(data):
        raise _error("lock-edited", "it was edited by hand: its digest is not its content's", path)
    try:
        return _lock(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _error("lock-unreadable", f"it can't be read: {error}", path) from error


def _lock(data: dict[str, Any]) -> Lock:
    pinned, contents = data.pop("requirements"), data.pop("contents", {})
    if pinned:
        pinned = Requirements(**{**pinned, "pins": tuple(pinned["pins"])})
    if contents:
        # Imported where there are some: nearly every command reads the lock.
        from clarifai_build.provenance.locked_contents import from_json

        contents = from_json(contents)
    return Lock(**data, requirements=pinned, contents=contents)


def _resolve(manifest: Manifest, previous: Requirements | None) -> Requirements | None:
    source, python, target = manifest.code.requirements, manifest.code.python, manifest.target
    if source is None and target == "triton":
        return None
    # First: what can't be kept is refused before hours of resolving.
    options = resolving.sources(source, manifest.path.parent) if source else ()
    pinned = previous.without_options if previous else ""
    if source is None or target == "runner":
        text = resolving.compile_with_sdk(source, manifest.path, python, pinned)
    else:
        text = resolving.compile_pins(source, python, pinned)
    pins = (*options, *text.splitlines())
    return Requirements(resolving.digest(source, target), python, resolving.PLATFORM, pins)


def weights_of(manifest: Manifest) -> dict[str, str]:
    """Return the SHA-256s of a manifest's weights by their places, as a lock has them."""
    return {weight.to: weight.sha256 for weight in manifest.weights}


def _body(lock: Lock) -> dict[str, Any]:
    body = {each.name: getattr(lock, each.name) for each in fields(lock)}
    if lock.requirements:
        pins = list(lock.requirements.pins)
        body["requirements"] = {**asdict(lock.requirements), "pins": pins}
    if contents := body.pop("contents"):
        from clarifai_build.provenance.locked_contents import to_json

        body["contents"] = to_json(contents)
    return body


def _digest(body: Mapping[str, Any]) -> str:
    # Spaced for good: by another spelling, every committed lock would count as edited.
    return json_sha256(body, spaced=True)


def problem(code: str, message: str, path: Path, hint: str = AGAIN) -> Problem:
    """Return a problem of a lock; a new lock is the way out of most."""
    return Problem(code, message, file=str(path), hint=hint)


def _error(code: str, message: str, path: Path, hint: str = _ANEW) -> LockError:
    return LockError(problem(code, message, path, hint))
