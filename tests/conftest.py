"""What tests of several folders share: one sandbox, of their own, for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clarifai_build import sandbox as sandboxes
from clarifai_build.sandbox import Endpoints


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A running sandbox that dies with the test run; its engines lie in the user's cache."""
    state = tmp_path_factory.mktemp("sandbox")
    yield sandboxes.up(state, attached=True)
    sandboxes.down(state)
