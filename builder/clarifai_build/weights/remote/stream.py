"""A file elsewhere that was opened, or can't be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from clarifai_build.errors import SourceError
from clarifai_build.util.urls import redact_url
from clarifai_build.weights.source_object import SourceObject

BLOCK = 1 << 20


class Remote(NamedTuple):
    """The bytes of a file from an offset on, and the size of the whole where it is known.

    `source` is the object that they are of, where that is one of a store.
    """

    size: int | None
    blocks: Iterator[bytes]
    source: SourceObject | None = None


def refused(
    url: str, why: str, hint: str = "check the address, and that your credentials may read it"
) -> SourceError:
    """Return the error of a weight that no other attempt would fetch either."""
    message = f"the weight {redact_url(url)} can't be fetched: {why}"
    return SourceError.of("weight-refused", message, file=redact_url(url), hint=hint)
