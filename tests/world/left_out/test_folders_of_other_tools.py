"""What other tools leave in a folder stays out by what it is; a name alone drops no code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from clarifai_build.artifact.file_list import listing
from support.trees import manifest_of, write_files


def reasons(folder: Path, **code: object) -> dict[str, str]:
    """Return why files and folders stay out, by their paths."""
    return {i.path: i.reason for i in listing(manifest_of(folder, **code)) if i.reason}


def taken(folder: Path, **code: object) -> list[str]:
    """Return what goes in."""
    return [item.path for item in listing(manifest_of(folder, **code)) if not item.reason]


@pytest.mark.parametrize("name", ["env", "my-python", "sub/.v"])
def test_a_virtual_environment_is_known_under_any_name(tmp_path: Path, name: str) -> None:
    """A real one, with its links out of the folder and its library."""
    write_files(tmp_path, {"a.py": b"", "sub/b.py": b""})
    command = [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / name)]
    subprocess.run(command, check=True)
    write_files(tmp_path / name, {"lib/python3.11/site-packages/x.py": b"", "share/man/x": b""})
    assert reasons(tmp_path) == {name: "virtual environment"}
    assert taken(tmp_path) == ["a.py", "sub/b.py"]


@pytest.mark.parametrize("top", ["", "app/"])
def test_code_in_a_virtual_environments_folder_goes_in(tmp_path: Path, top: str) -> None:
    """As where `python -m venv .` was typed beside it; `lib` may be the user's own, too."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / top)], check=True)
    write_files(
        tmp_path, {f"{top}inference.py": b"", f"{top}models/w": b"", f"{top}lib/own.py": b""}
    )
    assert {f"{top}inference.py", f"{top}models/w", f"{top}lib/own.py"} <= set(taken(tmp_path))
    left = reasons(tmp_path)
    assert left[f"{top}pyvenv.cfg"] == left[f"{top}bin"] == "virtual environment"


def test_a_conda_environment_is_known_by_its_history(tmp_path: Path) -> None:
    """Whatever else conda put there."""
    names = ("conda-meta/history", "bin/python", "ssl/cert.pem", "x86_64-linux-gnu/lib/a.so")
    write_files(tmp_path, {f"py311/{name}": b"" for name in names} | {"conda-meta/a.json": b""})
    assert reasons(tmp_path) == {"py311": "virtual environment"}
    assert taken(tmp_path) == ["conda-meta/a.json"]


RUNS = {
    "wandb": ("run-20240102_030405-abc1/files/config.yaml", "debug.log", "latest-run/x"),
    "mlruns": ("0/meta.yaml", "123456/meta.yaml", ".trash/x"),
    "mlartifacts": ("0/0f1e/artifacts/a.pkl", "1/0f1e/artifacts/a.pkl"),
    "lightning_logs": ("version_0/hparams.yaml", "version_12/metrics.csv"),
}


@pytest.mark.parametrize("name", RUNS)
def test_records_of_runs_stay_out(tmp_path: Path, name: str) -> None:
    """By the folder's name and by what lies in it."""
    write_files(tmp_path, {f"train/{name}/{path}": b"" for path in RUNS[name]} | {"a.py": b""})
    assert reasons(tmp_path) == {f"train/{name}": "records of training runs"}


@pytest.mark.parametrize("name", RUNS)
def test_a_package_that_is_merely_called_so_goes_in(tmp_path: Path, name: str) -> None:
    """A name alone drops nothing, nor does one file that fits beside one that does not."""
    paths = [f"{name}/__init__.py", f"{name}/{RUNS[name][0]}"]
    write_files(tmp_path, dict.fromkeys(paths, b""))
    assert taken(tmp_path) == sorted(paths)
    assert reasons(tmp_path) == {}


def test_a_rule_brings_such_a_folder_back(tmp_path: Path) -> None:
    """For a model whose weights lie where they were trained."""
    path = "lightning_logs/version_0/checkpoints/last.ckpt"
    write_files(tmp_path, {path: b"", "env/pyvenv.cfg": b"", "env/bin/x": b""})
    assert taken(tmp_path, exclude=("!/lightning_logs/", "!env/")) == [
        "env/bin/x",
        "env/pyvenv.cfg",
        path,
    ]


NAMES = {
    "._inference.py": "editor or system file",
    "sub/._w.bin": "editor or system file",
    "__MACOSX": "editor or system file",
    ".Spotlight-V100": "editor or system file",
    ".AppleDouble": "editor or system file",
    "Desktop.ini": "editor or system file",
    ".nfs0000000001": "editor or system file",
    "x.py.swn": "editor or system file",
    ".terraform": "cache",
    ".eggs": "cache",
    "__pypackages__": "virtual environment",
    ".pixi": "virtual environment",
}


def test_what_systems_and_tools_leave_is_known_by_name(tmp_path: Path) -> None:
    """Names that nothing else has."""
    write_files(tmp_path, {f"{name}/x" if "." not in name[1:] else name: b"" for name in NAMES})
    assert reasons(tmp_path) == NAMES
    assert taken(tmp_path) == []


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    """An artifact holds files alone: who counts on the folder sees that it is not there."""
    (tmp_path / "cache" / "deep").mkdir(parents=True)
    write_files(tmp_path, {"a.py": b""})
    assert reasons(tmp_path) == {"cache/deep": "an empty folder"}
