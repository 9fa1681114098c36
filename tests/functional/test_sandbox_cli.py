"""What `sandbox` says where nothing runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clarifai_build.cli.main import main


def test_status_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so on stderr, keeps stdout clean, and makes no folder."""
    folder = tmp_path / "none"
    assert main(["sandbox", "status", "--state", str(folder)]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "'clarifai-build sandbox up' starts it" in said.err
    assert not folder.exists()


def test_status_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads the state from stdout."""
    assert main(["sandbox", "status", "--state", str(tmp_path), "-o", "json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["state"], status["endpoints"]) == ("stopped", None)


def test_down_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Stopping what does not run is no failure."""
    assert main(["sandbox", "down", "--state", str(tmp_path)]) == 0
    assert "does not run" in capsys.readouterr().err


def test_foreground_goes_with_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An option that means nothing is refused."""
    assert main(["sandbox", "down", "--state", str(tmp_path), "--foreground"]) == 64
    assert "--foreground" in capsys.readouterr().err
