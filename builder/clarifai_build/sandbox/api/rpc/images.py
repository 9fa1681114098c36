"""Pictures to arrays and back: RGB, height x width x channel, eight bits."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from clarifai_build.sandbox.api.errors import ApiError, Code


def decode(content: bytes, height: int, width: int) -> np.ndarray[Any, Any]:
    """Return the picture as an array, resized where the model wants a fixed height or width."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            image = picture.convert("RGB")
    # SyntaxError is what Pillow raises for broken chunks of a PNG.
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ApiError(Code.INPUT_INVALID_ARGUMENT, f"the image can't be read: {error}") from error
    # Pillow raises it beyond about 179 million pixels.
    except Image.DecompressionBombError as error:
        raise ApiError(Code.INPUT_INVALID_ARGUMENT, f"the image is too large: {error}") from error
    size = (width if width > 0 else image.width, height if height > 0 else image.height)
    if size != image.size:
        image = image.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(image)


def encode(array: np.ndarray[Any, Any]) -> bytes:
    """Return an RGB or grey array as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG")
    return buffer.getvalue()
