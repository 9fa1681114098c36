"""Pictures to arrays and back: RGB, height x width x channel, eight bits."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

# What the platform takes, and no format whose reader starts another program, as EPS does.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
# What a camera of 24 megapixels takes; the bytes of a file say nothing of it.
MOST_PIXELS = 25_000_000
# A progressive JPEG has about ten, and each costs as much time as the whole picture.
MOST_SCANS = 100
_SCAN = b"\xff\xda"


def decode(content: bytes, height: int, width: int) -> Array:
    """Return the picture as an array, resized where the model wants a fixed height or width."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            _check(picture, content)
            image = picture.convert("RGB")
    # SyntaxError is what Pillow raises for broken chunks of a PNG, struct.error is a ValueError.
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InvalidInputError(f"the image can't be read: {_reason(error)}") from error
    # Pillow raises it beyond about 179 million pixels.
    except Image.DecompressionBombError as error:
        raise InvalidInputError(f"the image is too large: {error}") from error
    size = (width if width > 0 else image.width, height if height > 0 else image.height)
    if size != image.size:
        image = image.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(image)


def encode(array: Array) -> bytes:
    """Return an RGB or grey array as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG")
    return buffer.getvalue()


def _check(picture: Image.Image, content: bytes) -> None:
    """Refuse by its header what costs too much to decode."""
    if picture.width * picture.height > MOST_PIXELS:
        raise InvalidInputError(
            f"the image is too large: {picture.width} x {picture.height} pixels;"
            f" {MOST_PIXELS} in all are allowed"
        )
    if picture.format in ("JPEG", "MPO") and content.count(_SCAN) > MOST_SCANS:
        raise InvalidInputError(f"the image has more than {MOST_SCANS} scans")


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"it is none of {', '.join(FORMATS)}"
    return str(error)
