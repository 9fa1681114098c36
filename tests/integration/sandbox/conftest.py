"""A client of the session's sandbox."""

from __future__ import annotations

import pytest

from clarifai_build.sandbox.endpoints import Endpoints
from support.sandbox_client import Api


@pytest.fixture(scope="session")
def api(sandbox: Endpoints) -> Api:
    """The sandbox's API, called as its user."""
    return Api(sandbox)
