"""A client of the session's sandbox, and a model that turns words around."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clarifai_build.sandbox.endpoints import Endpoints
from support.sandbox_client import Api
from support.scripted_web import Web, web
from support.slow_web import Endless


@pytest.fixture(scope="module")
def api(sandbox: Endpoints) -> Api:
    """The sandbox's API, called as its user."""
    return Api(sandbox)


@pytest.fixture(scope="module")
def reverser(api: Api) -> str:
    """A text-to-text model that turns words around."""
    return api.deploy("text-to-text")[0]


@pytest.fixture
def drip() -> Iterator[tuple[Web, Endless]]:
    """A server that sends a byte at a time."""
    endless = Endless(size=1, pause=0.1)
    with web(endless) as server:
        yield server, endless
        endless.stop.set()
