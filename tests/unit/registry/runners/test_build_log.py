"""The builder's log, read page by page as it grows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clarifai_build.manifest.types import Clarifai
from clarifai_build.registry.clarifai import open_registry
from clarifai_build.registry.runners.protocol import BuildLog
from support.runner_platform import Runners, runner_platform


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[Runners, BuildLog]]:
    """A platform, and the log of some version."""
    with runner_platform(tmp_path) as (platform, runners):
        registry = open_registry(Clarifai(), platform.environ)
        yield runners, registry.runners.build_log("lines", "v")


def test_each_line_comes_once_as_the_log_grows(world: tuple[Runners, BuildLog]) -> None:
    """Also where a page was not full at the last look."""
    runners, log = world
    assert list(log.new_lines()) == []
    runners.lines = [f"line {number}" for number in range(70)]
    assert list(log.new_lines()) == runners.lines
    runners.lines += ["last"]
    assert list(log.new_lines()) == ["last"]
    assert list(log.new_lines()) == []


def test_an_entry_of_several_lines(world: tuple[Runners, BuildLog]) -> None:
    """It is as many."""
    runners, log = world
    runners.lines = ["one\ntwo\n"]
    assert list(log.new_lines()) == ["one", "two"]


def test_pages_that_repeat(world: tuple[Runners, BuildLog]) -> None:
    """They end, though each is full."""
    runners, log = world
    runners.lines, runners.pages_repeat = [f"{number}" for number in range(60)], True
    assert list(log.new_lines()) == runners.lines[:50]
    assert list(log.new_lines()) == []
