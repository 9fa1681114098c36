"""Which requirements need an environment of their own."""

from __future__ import annotations

import pytest

from clarifai_build.requirements.reader import lines_in
from clarifai_build.sandbox.engines.model_environment import satisfied_by_engines


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# only words\n", "numpy", "numpy>=1.20,<2  # arrays", "NumPy==1.26.4"]
)
def test_numpy_alone_is_there_already(text: str) -> None:
    """A model that needs nothing but a numpy that the engines have needs no environment."""
    assert satisfied_by_engines(tuple(lines_in(text)), "1.26.4")


@pytest.mark.parametrize(
    "text",
    [
        "numpy>=2",
        "onnxruntime",
        "numpy\nonnxruntime==1.20",
        "-r other.txt",
        "numpy @ https://example.com/numpy.whl",
        "./wheels/mine.whl",
        "numpy --hash=sha256:00",
    ],
)
def test_anything_else_is_installed(text: str) -> None:
    """Every other line is pip's to read."""
    assert not satisfied_by_engines(tuple(lines_in(text)), "1.26.4")
