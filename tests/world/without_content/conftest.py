"""A store and a platform in memory, and a model with a weight that is live there."""

from __future__ import annotations

import pytest

from support.command_line import World
from support.live_model import Live, publish
from support.worlds import _descriptions, home, world

__all__ = ["_descriptions", "home", "live", "world"]


@pytest.fixture
def live(world: World) -> Live:
    """The weight in the bucket, the model published, and an empty cache."""
    return publish(world)
