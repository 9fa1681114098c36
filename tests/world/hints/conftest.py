"""A model folder, a store and a platform in memory, for the commands."""

from __future__ import annotations

from support.worlds import _descriptions, home, world

__all__ = ["_descriptions", "home", "world"]
