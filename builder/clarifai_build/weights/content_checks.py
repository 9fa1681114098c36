"""Pointers and secrets among the weights, by their content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clarifai_build.errors import Problem
from clarifai_build.source.source_file import SourceFile
from clarifai_build.util.urls import redact_url

if TYPE_CHECKING:
    from clarifai_build.manifest.types import Weight
from clarifai_build.source.content_checks import is_pointer, scan


def pointer_weight(weight: Weight) -> Problem:
    """Return what to say of a weight that is a pointer of Git LFS."""
    source = redact_url(weight.source)
    hint = "`from` leads to the pointer: use the address of the file itself"
    if "://" not in source:
        hint = "run `git lfs pull`"
    message = f"the weight {source} is a Git LFS pointer, not the file itself"
    return Problem("lfs-pointer", message, file=source, hint=hint)


def weight_suspicion(weight: Weight, file: SourceFile, content: bytes) -> Problem | None:
    """Return what is wrong with shipping a weight, naming where it comes from."""
    found = pointer_weight(weight) if is_pointer(content) else scan(file, content)
    place = redact_url(weight.source) if "://" in weight.source else file.file
    return found and found._replace(file=place)
