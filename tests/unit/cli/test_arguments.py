"""Arguments that several commands take."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from clarifai_build.cli.arguments import add_locked, add_manifest, add_manifests, add_sandbox


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5"])
def test_at_least_one_model_at_a_time(text: str) -> None:
    """Four, where nothing is said."""
    parser = argparse.ArgumentParser()
    add_manifests(parser)
    with pytest.raises(SystemExit):
        parser.parse_args([f"--jobs={text}"])
    assert parser.parse_args(["--jobs=1"]).jobs == 1
    assert parser.parse_args([]).jobs == 4


def test_a_manifest_has_its_usual_name() -> None:
    """Where none is given, whether a command takes one or many; nothing else is asked for."""
    one, many = argparse.ArgumentParser(), argparse.ArgumentParser()
    add_manifest(one)
    add_manifests(many)
    add_sandbox(many)
    add_locked(many)
    assert one.parse_args([]).manifest == Path("clarifai.yaml")
    assert one.parse_args(["a"]).manifest == Path("a")
    assert many.parse_args([]).manifests == ["clarifai.yaml"]
    given = many.parse_args(["a", "b", "--sandbox"])
    assert (given.manifests, given.sandbox, given.locked) == (["a", "b"], True, False)
