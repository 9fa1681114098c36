"""The template with plain `cookiecutter`, as its own users run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.resources import template_dir
from clarifai_build.targets.vendored import runtime_files

TOP = {
    "triton": {"config.pbtxt", "requirements.txt"},
    "runner": {"config.yaml", "Dockerfile", "requirements.txt"},
}


@pytest.mark.parametrize("target", TOP)
@pytest.mark.parametrize("name", MODEL_TYPES)
def test_plain_cookiecutter_gives_a_whole_repository(
    name: str, target: str, tmp_path: Path
) -> None:
    """Without clarifai-build's own code, the template and its hook give every file."""
    subprocess.run(
        [
            *(sys.executable, "-m", "cookiecutter", "--no-input", "-o", str(tmp_path)),
            *(str(template_dir()), f"model_type={name}", "model_name=mine", f"target={target}"),
        ],
        check=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    made = {
        path.relative_to(tmp_path / "mine").as_posix()
        for path in (tmp_path / "mine").rglob("*")
        if path.is_file()
    }
    expected = TOP[target] | runtime_files().keys()
    expected |= {f"1/{name}" for name in ("__init__.py", "inference.py", "model.py", "test.py")}
    expected |= {"1/serving.json"} | ({"labels.txt"} if MODEL_TYPES[name].has_labels else set())
    assert made == expected
