"""What is wrong with weights: another content, pointers, secrets."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from clarifai_build.errors import Problem
from clarifai_build.source.content_checks import POINTER, content_problem, dvc_pointer, is_dvc
from clarifai_build.util.urls import redact_url

if TYPE_CHECKING:
    from clarifai_build.manifest.types import Weight


_ELSEWHERE = (
    "if it holds no secret, copy it into the manifest's folder, and name it under "
    "code.allow_secrets: that speaks of no file elsewhere"
)


def is_remote(weight: Weight) -> bool:
    """Return whether a weight has to be fetched."""
    return "://" in weight.source


def mismatch(weight: Weight, found: str, *, fetched: bool = False) -> Problem:
    """Return the problem of a weight with another SHA-256, on disk or as it was `fetched`."""
    source = redact_url(weight.source)
    message = f"the weight {source} has SHA-256 {found}, the manifest says {weight.sha256}"
    hint = "correct `sha256` if the new file is the one you mean"
    if fetched:
        message += "; nothing was kept"
    elif is_remote(weight):
        hint += "; `clarifai-build cache prune` fetches it anew"
    return Problem("weight-mismatch", message, file=source, hint=hint)


def pointer_weight(weight: Weight, file: str = "") -> Problem:
    """Return the problem of a weight that is a pointer of Git LFS: one in a `file`, or fetched."""
    source = redact_url(weight.source)
    hint = "`from` leads to the pointer: use the address of the file itself"
    if not is_remote(weight):
        from clarifai_build.source.lfs_pointer import pull

        hint = f"run `{pull(file)}`"
    message = f"the weight {source} is a Git LFS pointer, not the file itself"
    return Problem("lfs-pointer", message, file=source, hint=hint)


def weight_problem(
    weight: Weight, finding: str, file: str, allowed: Collection[str], base: str
) -> Problem | None:
    """Return the problem of a finding in a weight, naming the weight's source.

    What is `allowed` is the manifest's to say of its own folder, `base`, and of what anyone can
    fetch: with other files, whoever changes the manifest would take credentials off a machine.
    """
    place = _place(weight, file)
    if finding == POINTER:
        return pointer_weight(weight, file)._replace(file=place)
    if is_remote(weight) or _is_below(file, base):
        return content_problem(finding, weight.to, place, allowed)
    problem = content_problem(finding, weight.to, place, ())
    return problem and problem._replace(hint=_ELSEWHERE)


def _is_below(file: str, folder: str) -> bool:
    folder = os.path.realpath(folder)
    return os.path.commonpath((os.path.realpath(file), folder)) == folder


def _place(weight: Weight, file: str) -> str:
    return redact_url(weight.source) if is_remote(weight) else file


def dvc_weights(weights: Collection[Weight]) -> list[Problem]:
    """Return a problem for each weight whose place has the name of a pointer of DVC."""
    return [dvc_pointer(w.to, redact_url(w.source)) for w in weights if is_dvc(w.to)]
