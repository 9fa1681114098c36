"""`cache`, `config`, `schema` and `import`: what they show of this machine and of a folder."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from clarifai_build import resources
from clarifai_build.errors import ManifestError, UsageError
from clarifai_build.validation.load import load
from support.command_line import command
from support.light_platform import INFERENCE

DAY = 24 * 3600


def keep(home: Path, name: str, size: int, days: float) -> Path:
    """Put a weight into the cache, last used so long ago."""
    file = home.parent / "cache" / "clarifai-build" / "weights" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(bytes(size))
    used = time.time() - days * DAY - 60
    os.utime(file, (used, used))
    return file


def test_cached_files_are_listed(home: Path) -> None:
    """Largest first, with size, days and path; nothing is removed."""
    small, large = keep(home, "small", 10, 3), keep(home, "large", 2000, 1)
    ran = command("cache", "list")
    assert [line.split() for line in ran.out.splitlines()] == [
        ["2000", "1", str(large)],
        ["10", "3", str(small)],
    ]
    assert "cached: 2 files, 2010 bytes" in ran.err
    assert small.exists()


def test_cached_files_are_told_as_json(home: Path) -> None:
    """With seconds."""
    file = keep(home, "small", 10, 3)
    told = command("cache", "list", "--json").json
    assert told["bytes"] == 10
    (one,) = told["files"]
    assert (one["path"], one["size"]) == (str(file), 10)
    assert 3 * DAY <= one["unused_seconds"] < 4 * DAY


def test_what_was_used_lately_is_kept(home: Path) -> None:
    """Everything goes where no number of days is given."""
    old, new = keep(home, "old", 10, 3), keep(home, "new", 20, 1)
    ran = command("cache", "prune", "--unused-days", "2")
    assert (old.exists(), new.exists()) == (False, True)
    assert "removed: 1 files, 10 bytes" in ran.err
    assert str(old) in ran.out
    told = command("cache", "prune", "--json").json
    assert [file["path"] for file in told["files"]] == [str(new)]
    assert not new.exists()


def test_settings_are_shown_with_where_they_come_from(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the manifest by line, the environment or nowhere; tokens are never shown."""
    monkeypatch.setenv("CLARIFAI_USER_ID", "me")
    monkeypatch.setenv("CLARIFAI_PAT", "hunter2")
    (home / "inference.py").write_text(INFERENCE)
    (home / "clarifai.yaml").write_text(
        "model:\n  id: lines\n  type: text-to-text\n  description: Grüße\n"
        "clarifai: {user_id: '${env:CLARIFAI_USER_ID}', app_id: main}\n"
    )
    ran = command("config")
    lines = {line.split(" = ")[0]: line for line in ran.out.splitlines()}
    assert lines["model.id"].split() == ["model.id", "=", '"lines"', "#", "clarifai.yaml:2"]
    assert "Grüße" in lines["model.description"]
    assert "CLARIFAI_USER_ID" in lines["clarifai.user_id"]
    assert "***" in lines["CLARIFAI_PAT"]
    assert "hunter2" not in ran.out + ran.err
    told = {one["path"]: one for one in command("config", "-o", "json").json}
    assert told["model.id"] == {"path": "model.id", "value": "lines", "origin": "clarifai.yaml:2"}
    assert told["triton.max_batch_size"]["origin"] == "default"


def test_a_manifest_with_errors_has_no_settings(home: Path) -> None:
    """They are told instead."""
    (home / "clarifai.yaml").write_text("nonsense: 1\n")
    with pytest.raises(ManifestError, match="nonsense"):
        command("config")


def test_schemas_are_printed(home: Path) -> None:
    """That of a manifest, unless that of a plan is asked for."""
    assert json.loads(command("schema").out) == json.loads(resources.schema_text())
    assert command("schema", "manifest").out == command("schema").out
    plan = command("schema", "plan").out
    assert json.loads(plan) == json.loads(resources.plan_schema_text())
    assert not plan.endswith("\n\n")


CONFIG = """
name: "lines"
backend: "python"
max_batch_size: 4
input [{ name: "text" data_type: TYPE_STRING dims: [1] }]
output [{ name: "text" data_type: TYPE_STRING dims: [1] }]
"""
CODE = """
from clarifai.models.model_serving.model_config import get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data, **kwargs):
        return list(input_data)
"""


def repository(home: Path) -> Path:
    """Write what clarifai 9.x left of a model."""
    folder = home / "lines"
    (folder / "1").mkdir(parents=True)
    (folder / "config.pbtxt").write_text(CONFIG)
    (folder / "1" / "inference.py").write_text(CODE)
    return folder


def test_a_manifest_is_imported(home: Path) -> None:
    """It loads, and lies beside what was there, which stays as it was."""
    folder = repository(home)
    ran = command("import", "lines")
    assert ran.code == 0, ran.err
    assert str(Path("lines", "clarifai.yaml")) in ran.out.splitlines()
    assert load(folder / "clarifai.yaml", {}, offline=True).model.type == "text-to-text"
    assert (folder / "config.pbtxt").read_text() == CONFIG
    with pytest.raises(UsageError, match="exists"):
        command("import", "lines")


def test_a_type_may_be_given(home: Path) -> None:
    """Where the one that is found is not meant."""
    folder = repository(home)
    (folder / "1" / "inference.py").write_text("class InferenceModel: ...\n")
    ran = command("import", "lines", "--type", "text-to-text")
    assert "text-to-text" in (folder / "clarifai.yaml").read_text()
    assert ran.code in (0, 3)


def test_what_could_not_be_carried_over_is_told(home: Path) -> None:
    """A manifest that has errors then is written all the same; the exit code tells."""
    (home / "clarifai_config.yaml").write_text(
        "clarifai_model: {type: text-to-text, clarifai_model_id: my model}\n"
    )
    ran = command("import")
    assert "not carried over: Clarifai takes no id 'my model'" in ran.err
    assert (home / "clarifai.yaml").exists()
    assert ran.code == 3
    assert "error" in ran.err
