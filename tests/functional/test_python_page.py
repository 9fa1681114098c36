"""The Python that docs/how-to/python.md shows runs as it stands there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support.connections import environ_of, in_memory, model_in
from support.fakes import MemoryStore, public_bucket
from support.pages import ROOT
from support.trees import write_files

PAGE = ROOT / "docs" / "how-to" / "python.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
MODEL = ROOT / "builder" / "clarifai_build" / "starters" / "text-to-text"


def run(code: str, folder: Path, environ: Mapping[str, str] = os.environ) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_manifest_is_loaded_and_built(tmp_path: Path) -> None:
    """The first script prints digest and size."""
    (tmp_path / "clarifai.yaml").write_text("model: {id: example, type: text-to-text}\n")
    (tmp_path / "inference.py").write_bytes((MODEL / "inference.py").read_bytes())
    digest, size = run(BLOCKS[0], tmp_path).split()
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert int(size) > 1000


def test_a_model_is_made_without_a_manifest_file(tmp_path: Path) -> None:
    """The second script leaves a repository and a zip, whose own tests pass."""
    run(BLOCKS[1], tmp_path)
    with zipfile.ZipFile(tmp_path / "my-model_visual-classifier.zip") as archive:
        names = set(archive.namelist())
    repository = tmp_path / "repository"
    assert {"config.pbtxt", "1/inference.py", "1/model.py", "labels.txt"} <= names
    assert json.loads((repository / "1" / "serving.json").read_text())["max_batch_size"] == 4
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "1/test.py"]
    done = subprocess.run(tests, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_connects_and_applies_is_typed(tmp_path: Path) -> None:
    """The page's functions take and give what they say, by the library's own types."""
    script = tmp_path / "page.py"
    script.write_text("\n".join(BLOCKS[1:]))
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    checked = subprocess.run([*command, str(script)], capture_output=True, text=True, cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout


def test_a_connection_is_deployed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The third script shows the plan, then what is going on, and returns what is live."""
    page: dict[str, Any] = {}
    exec(BLOCKS[2], page)
    with public_bucket(MemoryStore()) as bucket:
        there = in_memory(tmp_path, bucket)
        version = page["deploy"](there)
        assert page["deploy"](there) == version
    assert [one.id for one in there.registry.versions("lines")] == [version]
    assert "\ncreate-version " in capsys.readouterr().out


def test_manifests_are_connected(tmp_path: Path) -> None:
    """The fourth script names the accounts, the manifest that is wrong, and the models."""
    for name in ("lines", "words"):
        model_in(tmp_path / "models", name)
    write_files(tmp_path / "models", {"bad/clarifai.yaml": b"model: {}"})
    contexts = "{main: {CLARIFAI_APP_ID: main}, staging: {CLARIFAI_APP_ID: staging}}"
    config = f"current_context: main\ncontexts: {contexts}\n".encode()
    write_files(tmp_path / "home", {".config/clarifai/config": config})
    environ = {**os.environ, **environ_of(tmp_path), "CLARIFAI_APP_ID": ""}
    shown = run(BLOCKS[3], tmp_path, environ).splitlines()
    assert shown[0] == "me/main me/staging"
    assert shown[1].startswith("models/bad/clarifai.yaml ")
    assert shown[-1] == "['lines', 'words']"


def test_another_store_and_platform_are_handed_in(tmp_path: Path) -> None:
    """The last script applies once, and then has nothing to do."""
    with public_bucket(MemoryStore()) as bucket:
        there = in_memory(tmp_path, bucket)
        page: dict[str, Any] = {"manifest": there.manifest}
        exec(BLOCKS[5], page)
        arguments = (bucket, there.registry, there.build())
        assert page["deploy_to"](*arguments).version.health == "ready"
        assert page["deploy_to"](*arguments) is None


def test_the_page_imports_from_the_package_alone() -> None:
    """What a program needs is a public name, not a place inside."""
    imported = re.findall(r"^(?:from|import) (clarifai_build\S*)", "".join(BLOCKS), re.M)
    assert set(imported) == {"clarifai_build"}


@pytest.mark.parametrize("first", ["pipeline", "building", "manifest"])
def test_public_names_do_not_depend_on_what_was_imported_before(first: str) -> None:
    """`plan` is the function, whichever module is already there."""
    names = "load, build, plan, apply"
    code = f"import clarifai_build.{first}\nfrom clarifai_build import {names}\n"
    assert run(f"{code}print(all(map(callable, ({names}))))", ROOT) == "True\n"
