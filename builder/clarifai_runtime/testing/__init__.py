"""The predefined tests of a model: 1/test.py imports `ModelTests`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .model_tests import ModelTests

__all__ = ["ModelTests"]


def __getattr__(name: str) -> Any:
    """Import the tests when they are asked for: the builder reads `parameters` without numpy."""
    if name == "ModelTests":
        from .model_tests import ModelTests

        return ModelTests
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
