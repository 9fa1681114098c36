"""A store in memory for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.memory_s3 import Bucket, memory_s3


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """An empty bucket of a store that knows everything."""
    with memory_s3() as running:
        yield running
