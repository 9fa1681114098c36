"""The Python that docs/how-to/python.md shows runs as it stands there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.pages import ROOT

PAGE = ROOT / "docs" / "how-to" / "python.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
MODEL = ROOT / "builder" / "clarifai_build" / "starters" / "text-to-text"


def run(code: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
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


def test_the_third_script_uses_what_is_there(tmp_path: Path) -> None:
    """Plan and apply take the arguments that the page gives them."""
    script = tmp_path / "deploy.py"
    script.write_text(BLOCKS[2].replace("def deploy(path):", "def deploy(path: Path) -> str:"))
    script.write_text("from pathlib import Path\n" + script.read_text())
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), str(script)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    errors = [line for line in checked.stdout.splitlines() if "deploy.py" in line]
    # The page leaves out the case of a manifest without storage.
    assert [line for line in errors if "Storage | None" not in line] == []


@pytest.mark.parametrize("first", ["pipeline", "building", "manifest"])
def test_public_names_do_not_depend_on_what_was_imported_before(first: str) -> None:
    """`plan` is the function, whichever module is already there."""
    names = "load, build, plan, apply"
    code = f"import clarifai_build.{first}\nfrom clarifai_build import {names}\n"
    assert run(f"{code}print(all(map(callable, ({names}))))", ROOT) == "True\n"
