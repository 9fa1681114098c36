"""Fixtures: a model folder, a store and a platform in memory, an environment that leads to them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest
from botocore import loaders

from support.command_line import World
from support.light_platform import light_platform
from support.memory_s3 import KEYS, memory_s3

_AWS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL")


@pytest.fixture(scope="session", autouse=True)
def _descriptions() -> Iterator[None]:
    """What botocore ships, its description of S3, is read once, not by every command."""
    with patch("botocore.session.create_loader", cache(loaders.create_loader)):
        yield


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with a home and caches of its own beside it."""
    for name in _AWS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("CLARIFAI_CONTEXT", raising=False)
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def world(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An empty bucket, an app without models, and a folder without manifests."""
    with light_platform(tmp_path) as platform, memory_s3() as bucket:
        for name, value in {**KEYS, **platform.environ}.items():
            monkeypatch.setenv(name, value)
        yield World(home, bucket, platform)
