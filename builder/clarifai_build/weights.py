"""Weights that do not live in Git: found beside the manifest, or fetched into the user's cache."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clarifai_build import user_cache
from clarifai_build.digests import Digest
from clarifai_build.problem import BuilderError, Problem, SourceError
from clarifai_build.progress import Listener, silent
from clarifai_build.walk import Found, Stamp

if TYPE_CHECKING:
    from clarifai_build.manifest import Manifest, Weight

_AT_ONCE = 4


def is_remote(weight: Weight) -> bool:
    """Tell whether a weight has to be fetched."""
    return "://" in weight.source


def locate(
    manifest: Manifest, listen: Listener = silent, environ: Mapping[str, str] = os.environ
) -> list[Found]:
    """Return the local file of each weight; what is not in the cache yet is fetched."""
    kept = user_cache.weights_folder(environ)
    missing = {w for w in manifest.weights if is_remote(w) and not (kept / w.sha256).is_file()}
    if missing:
        _fetch(sorted(missing, key=lambda w: w.to), manifest, kept, listen, environ)
    files = [
        kept / weight.sha256 if is_remote(weight) else manifest.path.parent / weight.source
        for weight in manifest.weights
    ]
    return [_found(weight, file) for weight, file in zip(manifest.weights, files, strict=True)]


def refuse_mismatches(weights: Sequence[Weight], digests: Sequence[Digest]) -> None:
    """Raise SourceError for each weight that is not what the manifest says."""
    problems = [
        Problem(
            "weight-mismatch",
            f"the weight {weight.source} has SHA-256 {digest.sha256}, "
            f"the manifest says {weight.sha256}",
            file=weight.source,
            hint="correct `sha256` if the new file is the one you mean"
            + ("; `clarifai-build cache prune` fetches it anew" if is_remote(weight) else ""),
        )
        for weight, digest in zip(weights, digests, strict=True)
        if digest.sha256 != weight.sha256
    ]
    if problems:
        raise SourceError(*problems)


def _fetch(
    missing: Sequence[Weight],
    manifest: Manifest,
    kept: Path,
    listen: Listener,
    environ: Mapping[str, str],
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from clarifai_build.fetch import Fetcher

    fetcher = Fetcher(kept, manifest.storage, environ, listen)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        futures = [pool.submit(fetcher.fetch, weight) for weight in missing]
        try:
            problems = [p for future in futures for p in _problems(future.exception())]
        except BaseException:
            fetcher.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if problems:
        raise SourceError(*problems)


def _problems(error: BaseException | None) -> tuple[Problem, ...]:
    if error is None:
        return ()
    if isinstance(error, BuilderError):
        return error.problems
    raise error


def _found(weight: Weight, file: Path) -> Found:
    try:
        status = file.stat()
    except OSError as exc:
        raise SourceError.of(
            "weight-missing",
            f"the weight {weight.source} can't be read: {exc.strerror}",
            file=str(file),
        ) from exc
    return Found(weight.to, str(file), Stamp.of(status), executable=False)
