"""A real Triton server, into which each test loads repositories of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tritonclient.grpc as triton_grpc

from runtime.portable.repositories import write_repository
from runtime.triton_models import LoadedModel
from support.triton_server import Server, server

__all__ = ["load", "server"]


@pytest.fixture
def load(server: Server, request: pytest.FixtureRequest) -> Iterator[Callable[..., LoadedModel]]:
    """Return a function that writes a repository, loads it and returns the model."""
    loaded: list[str] = []
    client = triton_grpc.InferenceServerClient(f"127.0.0.1:{server.client.port}")

    def load(model_type: str, source: str | None = None, **settings: Any) -> LoadedModel:
        name = f"model-{len(list(server.repository.iterdir()))}"
        arguments = {"name": name, "vendor": True, "queue_delay": 50_000, **settings}
        folder = write_repository(server.repository, model_type, source, **arguments)
        server.client.load(name)
        loaded.append(name)
        return LoadedModel(client, folder)

    yield load
    for name in loaded:
        server.client.unload(name)
    client.close()
