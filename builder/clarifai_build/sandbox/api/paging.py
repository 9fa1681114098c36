"""Pages of a list: counted from 1, 128 long unless told, empty past the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")
DEFAULT = 128
# As documented by Clarifai.
MOST = 1000


def page_of(items: Sequence[Item], request: Any) -> Sequence[Item]:
    """Return the page of `items` that a List request asks for."""
    size = min(request.per_page or DEFAULT, MOST)
    start = (max(request.page, 1) - 1) * size
    return items[start : start + size]
