"""Whether an object is as it was when it was put on record."""

from __future__ import annotations

import pytest

from clarifai_build.storage import StoredObject


@pytest.mark.parametrize("now", ["e-1", '"e-1"'])
@pytest.mark.parametrize("then", ["e-1", '"e-1"'])
def test_an_object_is_known_by_size_and_etag(now: str, then: str) -> None:
    """Some stores and records quote it."""
    stored = StoredObject("models/m.zip", 7, now)
    assert stored.is_still(7, then)
    assert not stored.is_still(8, then)
    assert not stored.is_still(7, "e-2")
