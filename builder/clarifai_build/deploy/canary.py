"""The canary: one request to a version that is ready, whose outcome is recorded with the version.

A version is ready once it is loaded. Whether it answers, only a request can show.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.errors import BuildFailedError, RegistryError
from clarifai_build.manifest.types import TRIAL_IMAGE_BYTES, Manifest, TrialInput
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.progress import Event, ProgressCallback, no_progress, warn
from clarifai_build.registry import (
    ModelRegistry,
    NewModel,
    NotDeployedError,
    NotServedYetError,
    PredictionFailedError,
    PredictionInput,
    RemoteVersion,
)
from clarifai_build.util.small_files import read_small
from clarifai_runtime.parameters import Param as RuntimeParam
from clarifai_runtime.testing.parameters import PREFIX, from_environment

# Pixels, where the manifest leaves a side open: what a convolution can still take apart.
_OPEN_SIDE = 64
_TEXT = "Hello"

PREDICTION_SECONDS = 120.0
"""How long a model may take: a picture that is generated without a GPU takes a minute."""

# Also where there is no time to wait for the build: a model that is ready takes a moment.
_LEAST_SECONDS = 10.0
# Metadata are read with every list of versions.
_LONGEST_WORDS = 500


@dataclass(frozen=True, slots=True)
class Canary:
    """What a version is asked. `missing` are required parameters that nobody gives a value."""

    inputs: tuple[PredictionInput, ...]
    params: Mapping[str, bool | float | str]
    missing: tuple[str, ...] = ()


def canary_of(
    manifest: Manifest, version: RemoteVersion, environ: Mapping[str, str] = os.environ
) -> Canary:
    """Return what to ask a version: `test` of the manifest, or else the smallest of its type.

    The version may be an earlier one, whose parameters differ from the manifest's. Where a variable
    gives a parameter its value in tests, it does here: secrets stand in no file. Raises
    RegistryError where that value is of another type.
    """
    declared = [RuntimeParam(one.name, one.type, one.default) for one in version.params]
    names = {one.name for one in declared}
    given = {name: value for name, value in manifest.test.params if name in names}
    try:
        given |= from_environment(declared, environ)
    except ValueError as error:
        raise RegistryError.of("canary-params", f"{error}") from error
    missing = (one.name for one in declared if one.default is None and one.name not in given)
    inputs = tuple(map(_read, manifest.test.inputs)) or (_smallest(manifest),)
    return Canary(inputs, given, tuple(missing))


def outcome(
    registry: ModelRegistry,
    model_id: str,
    version_id: str,
    canary: Canary,
    timeout: float = PREDICTION_SECONDS,
) -> str:
    """Ask once, and wait `timeout` seconds: empty where the version answers, else why it does not.

    Raises RegistryError where nobody can ask it.
    """
    if canary.missing:
        name = canary.missing[0]
        raise RegistryError.of(
            "canary-params",
            f"version {version_id} was not asked whether it answers: parameter '{name}' has no "
            "default",
            hint=f"give it a value under test.params of the manifest, or as {PREFIX}{name} in the "
            "environment",
        )
    try:
        registry.ask(model_id, version_id, canary.inputs, canary.params, timeout)
    except PredictionFailedError as error:
        return error.problems[0].message[:_LONGEST_WORDS]
    return ""


def settle(
    registry: ModelRegistry,
    manifest: Manifest,
    version: RemoteVersion,
    timeout: float,
    progress: ProgressCallback = no_progress,
    *,
    clock: Callable[[], float] = time.monotonic,
    cancel: CancelToken = NEVER,
) -> RemoteVersion:
    """Ask a version that is ready, unless it has answered before, and record what came of it.

    `timeout` is in seconds: for so long, one that is being deployed is asked again. Where nobody
    can ask it, that is a warning. Raises BuildFailedError with the model's words.
    """
    if version.recorded.canary == "":
        return version
    try:
        return prove(registry, manifest, version, timeout, progress, clock=clock, cancel=cancel)
    except RegistryError as error:
        for problem in error.problems:
            warn(progress, problem.code, problem.message, stage="register", hint=problem.hint)
        return version


def prove(
    registry: ModelRegistry,
    manifest: Manifest,
    version: RemoteVersion,
    timeout: float,
    progress: ProgressCallback = no_progress,
    *,
    deployed: bool = False,
    clock: Callable[[], float] = time.monotonic,
    cancel: CancelToken = NEVER,
) -> RemoteVersion:
    """Ask a version as `settle` does; raises RegistryError where nobody can ask it.

    One that was just `deployed` may not be served for a while.
    """
    progress(Event("register", "running", f"version {version.id} is ready, asking it"))
    pending = (NotServedYetError, NotDeployedError) if deployed else (NotServedYetError,)
    words = _outcome_once_served(registry, manifest, version, timeout, pending, clock, cancel)
    metadata = replace(version.recorded, canary=words)
    model = manifest.model
    unchanged = NewModel(model.id, model.type, version.description, version.visibility)
    registry.update_version(model.id, version.id, unchanged, metadata)
    if words:
        raise BuildFailedError.of(
            "canary-failed",
            f"version {version.id} of '{model.id}' is ready, but does not answer: {words}",
            hint="'clarifai-build test' asks the model on this machine; where it needs a certain "
            "input, name one under test.inputs of the manifest",
        )
    return replace(version, metadata=metadata)


def _outcome_once_served(
    registry: ModelRegistry,
    manifest: Manifest,
    version: RemoteVersion,
    timeout: float,
    pending: tuple[type[RegistryError], ...],
    clock: Callable[[], float],
    cancel: CancelToken,
) -> str:
    canary, start = canary_of(manifest, version), clock()
    pause, patience = 0.5, max(_LEAST_SECONDS, min(timeout, PREDICTION_SECONDS))
    while True:
        try:
            return outcome(registry, manifest.model.id, version.id, canary, patience)
        except pending:
            if clock() - start > timeout:
                raise
        cancel.sleep(pause)
        pause = min(pause * 1.5, 5.0)


def _read(given: TrialInput) -> PredictionInput:
    image = read_small(given.image, TRIAL_IMAGE_BYTES) if given.image else None
    return PredictionInput(given.text, image)


def _smallest(manifest: Manifest) -> PredictionInput:
    taken = {tensor.name for tensor in MODEL_TYPES[manifest.model.type].inputs}
    height, width = (_OPEN_SIDE if side == -1 else side for side in manifest.shapes.image)
    # Of a model that takes both, either is an input by itself.
    if "image" in taken:
        return PredictionInput(image=black_png(height, width))
    return PredictionInput(text=_TEXT)


def black_png(height: int, width: int) -> bytes:
    """Return a black RGB picture as a PNG file."""
    rows = zlib.compress((b"\0" * (1 + 3 * width)) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    length, checksum = len(content), zlib.crc32(kind + content)
    return struct.pack(">I", length) + kind + content + struct.pack(">I", checksum)
