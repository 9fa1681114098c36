"""The release of the SDK that runner models are made for, and the image that goes with it."""

from __future__ import annotations

CLARIFAI = "12.5.0"
"""What serves a model inside of its image. It needs numpy 2.0.2 or newer."""

CLARIFAI_FOR_NUMPY_1 = "12.4.1"
"""The newest release that goes with numpy below 2."""

OLDEST_NUMPY = "2.0.2"
OLDEST_CLARIFAI = "12.4"
"""Older releases know neither these methods nor these calls of the platform."""

PLATFORM = "linux/amd64"
CHECKPOINTS_VARIABLE = "CLARIFAI_CHECKPOINTS"
"""Where the code finds the folder of what the platform fetched from a hub."""

# The tag is the commit that both releases above build on.
_BASE = "public.ecr.aws/clarifai-models/python-base:{}-77e4ad7daeb7a3b175702a1dc5778f22f35ff7a8"


def base_image(python: str) -> str:
    """Return Clarifai's own image with a Python, an environment for packages, and `uv`."""
    return _BASE.format(python)
