"""Fixture: one Triton server for the run, into which tests load what they have made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from clarifai_build.sandbox.engines import install, triton


class Server(NamedTuple):
    """A running server: its model repository, and where its log is."""

    client: triton.Client
    repository: Path
    log: Path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run one server for all tests; it is installed on first use."""
    folder = tmp_path_factory.mktemp("triton")
    repository = folder / "models"
    with triton.serving(install.install(), repository, folder / "work") as client:
        yield Server(client, repository, folder / "work" / "triton.log")
