"""The built wheel, installed into an empty environment, far from the checkout."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel with its dependencies, and return the environment's bin folder."""
    folder = tmp_path_factory.mktemp("env")
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    return folder / "bin"


def test_wheel_carries_what_it_needs(wheel: Path) -> None:
    """Schema, template (hooks and odd file names included), runtime and type marks are inside."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    data = "clarifai_build/_data"
    assert f"{data}/schema/clarifai.schema.json" in names
    shipped = {
        f"{data}/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "cookiecutter-template").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert shipped <= names
    assert {"clarifai_build/py.typed", "clarifai_runtime/py.typed"} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]


def test_init_validate_build_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    """The three commands a newcomer types first work from the wheel alone, and give these bytes.

    pip has compiled what it installed, the template included.
    """
    tool = str(installed / "clarifai-build")
    environ = {"PATH": f"{installed}:/usr/bin:/bin", "HOME": str(tmp_path)}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [tool, *arguments], cwd=tmp_path, env=environ, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("init", "--type", "text-classifier", "--id", "from-wheel")
    run("validate")
    run("build")
    (made,) = (tmp_path / "dist").glob("*.zip")
    here = [sys.executable, "-m", "clarifai_build", "build", "--output", "here.zip"]
    subprocess.run(here, cwd=tmp_path, check=True, capture_output=True)
    assert made.read_bytes() == (tmp_path / "here.zip").read_bytes()
    with zipfile.ZipFile(made) as archive:
        assert archive.testzip() is None
        assert "1/clarifai_runtime/__init__.py" in archive.namelist()
