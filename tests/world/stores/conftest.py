"""Stores as the world has them, on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.fake_aws import FakeAws, fake_aws
from support.memory_s3 import Bucket, memory_s3


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """An empty bucket of a store that knows everything."""
    with memory_s3() as running:
        yield running


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No variable of AWS, and an empty home, which is returned."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "REQUESTS_", "SSL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    return tmp_path


@pytest.fixture
def aws(no_aws: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    """AWS, to which this process's environment leads; nobody trusts its certificate yet."""
    with fake_aws(no_aws) as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running
