"""Pictures become the same arrays for a runner model as for one in Triton."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from clarifai_build.sandbox.api.errors import ApiError
from clarifai_build.sandbox.api.rpc import images
from clarifai_runtime.errors import InvalidInputError
from clarifai_runtime.runner import pictures

NOISE = np.random.RandomState(0).randint(0, 256, (7, 9, 4)).astype(np.uint8)


def picture(mode: str, kind: str) -> bytes:
    """Return a noisy picture as a file."""
    buffer = io.BytesIO()
    Image.fromarray(NOISE).convert(mode).save(buffer, format=kind)
    return buffer.getvalue()


PICTURES = [
    picture(mode, kind)
    for mode, kind in [
        *(("RGB", kind) for kind in pictures.FORMATS),
        *((mode, "PNG") for mode in ("RGBA", "L", "LA", "P", "1")),
        ("CMYK", "JPEG"),
    ]
]


@pytest.mark.parametrize("size", [(-1, -1), (3, -1), (-1, 20), (16, 16)])
@pytest.mark.parametrize("content", PICTURES)
def test_an_array_is_the_one_that_triton_gets(content: bytes, size: tuple[int, int]) -> None:
    """Of every format and mode, resized alike where the model wants that."""
    found = pictures.decode(content, *size)
    assert found.dtype == np.uint8
    assert np.array_equal(found, images.decode(content, *size))


@pytest.mark.parametrize("content", [b"", b"GIF89a", PICTURES[0][:20], picture("RGB", "PNG")[:-30]])
def test_what_is_no_picture_is_refused_in_the_same_words(content: bytes) -> None:
    """A caller hears the same of both."""
    with pytest.raises(InvalidInputError) as ours:
        pictures.decode(content, -1, -1)
    with pytest.raises(ApiError) as theirs:
        images.decode(content, -1, -1)
    assert str(ours.value) == theirs.value.details


def test_a_large_picture_is_refused_by_its_header() -> None:
    """Before it is decoded: 25 million pixels are a hundred kilobytes of PNG."""
    buffer = io.BytesIO()
    Image.new("1", (5001, 5000)).save(buffer, format="PNG")
    with pytest.raises(InvalidInputError, match="the image is too large: 5001 x 5000 pixels"):
        pictures.decode(buffer.getvalue(), -1, -1)


def test_a_picture_of_many_scans_is_refused() -> None:
    """Each costs as much time as the whole."""
    content = picture("RGB", "JPEG") + b"\xff\xda" * pictures.MOST_SCANS
    with pytest.raises(InvalidInputError, match="more than 100 scans"):
        pictures.decode(content, -1, -1)
