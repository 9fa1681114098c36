"""Weights that do not live in Git: found beside the manifest, or fetched into the user's cache."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.errors import SourceError
from clarifai_build.progress import ProgressCallback, no_progress
from clarifai_build.source.source_file import FileStat, SourceFile
from clarifai_build.util import cache_dir
from clarifai_build.util.urls import redact_url
from clarifai_build.weights.content_checks import is_remote, mismatch

if TYPE_CHECKING:
    from clarifai_build.digests.known import KnownContent, KnownContents
    from clarifai_build.manifest.types import Manifest, Weight

# They are regular files by their mode: /proc/self/environ holds the tokens of this very process.
_OF_THE_KERNEL = ("/proc/", "/sys/")


def absent(
    manifest: Manifest, known: KnownContents, environ: Mapping[str, str] = os.environ
) -> dict[str, KnownContent]:
    """Return what is known of weights that would have to be fetched, by their place."""
    kept = cache_dir.weights_folder(environ)
    found = {w.to: known(w.sha256) for w in manifest.weights if _has_to_be_fetched(w, kept)}
    return {to: content for to, content in found.items() if content}


def present(manifest: Manifest, environ: Mapping[str, str] = os.environ) -> list[SourceFile]:
    """Return the local file of each weight that is on this machine; nothing is fetched."""
    kept = cache_dir.weights_folder(environ)
    found = []
    for weight in manifest.weights:
        if not _has_to_be_fetched(weight, kept):
            with suppress(SourceError):
                found.append(_found(weight, _file_of(weight, manifest, kept)))
    return found


def locate(
    manifest: Manifest,
    progress: ProgressCallback = no_progress,
    environ: Mapping[str, str] = os.environ,
    without: Collection[str] = (),
    *,
    cancel: CancelToken = NEVER,
) -> list[SourceFile]:
    """Return the local file of each weight; what is not in the cache yet is fetched.

    `without` are places of weights that are not needed.
    """
    kept = cache_dir.weights_folder(environ)
    wanted = [weight for weight in manifest.weights if weight.to not in without]
    missing = {weight for weight in wanted if _has_to_be_fetched(weight, kept)}
    if missing:
        from clarifai_build.weights.parallel import fetch_all

        # A set has no order; progress and errors should have one.
        in_order = sorted(missing, key=lambda weight: weight.to)
        fetch_all(in_order, kept, manifest.storage, progress, environ, cancel=cancel)
    for weight in filter(is_remote, wanted):
        cache_dir.mark_used(kept / weight.sha256)
    return [_found(weight, _file_of(weight, manifest, kept)) for weight in wanted]


def refuse_mismatches(weights: Sequence[Weight], sha256s: Sequence[str]) -> None:
    """Raise SourceError for each weight that is not what the manifest says."""
    problems = [
        mismatch(weight, sha256)
        for weight, sha256 in zip(weights, sha256s, strict=True)
        if sha256 != weight.sha256
    ]
    if problems:
        raise SourceError(*problems)


def _file_of(weight: Weight, manifest: Manifest, kept: Path) -> Path:
    return kept / weight.sha256 if is_remote(weight) else manifest.path.parent / weight.source


def _has_to_be_fetched(weight: Weight, kept: Path) -> bool:
    return is_remote(weight) and not _is_there(kept / weight.sha256)


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # where it can't be seen, the fetch says why
        return False


def _found(weight: Weight, file: Path) -> SourceFile:
    try:
        status = file.stat()
    except OSError as exc:
        raise SourceError.of(
            "weight-missing",
            f"the weight {redact_url(weight.source)} can't be read: {exc.strerror}",
            file=str(file),
        ) from exc
    if not stat.S_ISREG(status.st_mode):
        raise SourceError.of(
            "weight-missing",
            f"the weight {redact_url(weight.source)} is not a regular file",
            file=str(file),
            hint="name a file that is read from beginning to end, as a folder or a pipe is not",
        )
    if os.path.realpath(file).startswith(_OF_THE_KERNEL):
        raise SourceError.of(
            "weight-missing",
            f"the weight {redact_url(weight.source)} is no file, but what this machine says of "
            "itself and its processes",
            file=str(file),
            hint="name a file that lies on a disk",
        )
    return SourceFile(weight.to, str(file), FileStat.of(status), executable=False)
