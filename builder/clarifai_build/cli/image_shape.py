"""Image shapes as they are written on command lines."""

from __future__ import annotations

import re

from clarifai_build.errors import UsageError
from clarifai_build.model_types import LARGEST_SIDE

# "224,224", and a list or a tuple as Python writes it.
_SHAPE = re.compile(r"[\[(]?\s*(-?\d{1,6})\s*[,\s]\s*(-?\d{1,6})\s*[\])]?\Z")


def read_image_shape(text: str) -> tuple[int, int]:
    """Read `H, W`, with or without brackets; each is at most 1024, or -1 for any."""
    match = _SHAPE.match(text.strip())
    if not match:
        raise UsageError.of("image-shape", f"'{text}' is not a height and a width", hint="H,W")
    height, width = int(match[1]), int(match[2])
    for side in (height, width):
        if side != -1 and not 1 <= side <= LARGEST_SIDE:
            raise UsageError.of(
                "image-shape",
                f"{side} is not a valid side of an image: use 1 to {LARGEST_SIDE}, or -1",
            )
    return height, width
