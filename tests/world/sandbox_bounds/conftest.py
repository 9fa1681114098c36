"""A client of the session's sandbox, and a model that turns words around."""

from __future__ import annotations

import pytest

from clarifai_build.sandbox.endpoints import Endpoints
from support.sandbox_client import Api


@pytest.fixture(scope="module")
def api(sandbox: Endpoints) -> Api:
    """The sandbox's API, called as its user."""
    return Api(sandbox)


@pytest.fixture(scope="module")
def reverser(api: Api) -> str:
    """A text-to-text model that turns words around."""
    return api.deploy("text-to-text")[0]
