"""A pipe, a device or gigabytes where a small file belongs are refused at once, by name."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from support.bounded import MANIFEST, bounded, model_in, sparse

DETECTOR = MANIFEST.replace("text-to-text", "visual-detector, labels: labels.txt")
# What a command reads beside the manifest: a file of the model, and the manifest that names it.
SMALL_FILES = {
    "labels.txt": DETECTOR,
    "requirements.txt": MANIFEST,
    "inference.py": MANIFEST,
    ".clarifaiignore": MANIFEST,
    "clarifai.yaml": MANIFEST,
}


def _zero(place: Path) -> None:
    place.symlink_to("/dev/zero")


def _pipe(place: Path) -> None:
    os.mkfifo(place)


def _gigabytes(place: Path) -> None:
    sparse(place)


@pytest.mark.parametrize("name", SMALL_FILES)
@pytest.mark.parametrize("put", [_zero, _pipe, _gigabytes])
def test_validate_refuses_what_is_no_small_file(tmp_path: Path, name: str, put: object) -> None:
    """`validate` names the file, and reads neither for ever nor until memory is gone."""
    model_in(tmp_path / "model", SMALL_FILES[name])
    place = tmp_path / "model" / name
    place.unlink(missing_ok=True)
    assert callable(put)
    put(place)
    ran = bounded("validate", "model/clarifai.yaml", cwd=tmp_path)
    assert ran.returncode == 3, ran.stderr
    assert name in ran.stdout
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("source", ["/dev/zero", "pipe", "folder"])
def test_a_weight_has_to_be_a_regular_file(tmp_path: Path, source: str) -> None:
    """`build` refuses a device, a pipe or a folder as a weight."""
    weight = f"weights: [{{to: net.onnx, from: {source}, sha256: {'a' * 64}}}]\n"
    model_in(tmp_path, MANIFEST + weight + "code: {path: code}\n")
    (tmp_path / "code").mkdir()
    (tmp_path / "inference.py").rename(tmp_path / "code" / "inference.py")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    ran = bounded("build", "clarifai.yaml", cwd=tmp_path)
    assert ran.returncode == 3, ran.stderr
    assert "error[weight-missing]" in ran.stderr
    assert "is not a regular file" in ran.stderr


def test_process_substitution_is_refused_with_the_reason(tmp_path: Path) -> None:
    """A manifest's paths begin at its folder, so a stream has none: the hint says what to do."""
    reading, writing = os.pipe()
    os.write(writing, MANIFEST.encode())
    os.close(writing)
    ran = bounded("validate", f"/dev/fd/{reading}", cwd=tmp_path, pass_fds=(reading,))
    os.close(reading)
    assert ran.returncode == 3
    assert "it is not a regular file" in ran.stdout
    assert "save it as a file in the model's folder" in ran.stdout


def test_a_manifest_redirected_from_a_file_is_that_file(tmp_path: Path) -> None:
    """`/dev/stdin` that leads to a file is the manifest there, with its folder."""
    manifest = model_in(tmp_path)
    with manifest.open("rb") as stream:
        number = stream.fileno()
        ran = bounded("validate", f"/dev/fd/{number}", cwd=Path("/"), pass_fds=(number,))
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("put", [_zero, _pipe, _gigabytes])
def test_import_refuses_what_is_no_config(tmp_path: Path, put: object) -> None:
    """`import` looks at config.pbtxt before it reads it."""
    (tmp_path / "old").mkdir()
    assert callable(put)
    put(tmp_path / "old" / "config.pbtxt")
    ran = bounded("import", "old", cwd=tmp_path)
    assert ran.returncode in (3, 64), ran.stderr
    assert "Traceback" not in ran.stderr + ran.stdout


@pytest.mark.parametrize("put", [_zero, _pipe, _gigabytes])
def test_a_saved_plan_is_looked_at_first(tmp_path: Path, put: object) -> None:
    """`apply` takes no device, pipe or gigabytes for a plan."""
    assert callable(put)
    put(tmp_path / "plan.json")
    ran = bounded("apply", "plan.json", cwd=tmp_path)
    assert ran.returncode in (3, 64), ran.stderr
    assert "plan.json" in ran.stderr


@pytest.mark.parametrize("put", [_zero, _pipe, _gigabytes])
def test_a_lock_is_looked_at_first(tmp_path: Path, put: object) -> None:
    """`build` takes no device, pipe or gigabytes for a lock."""
    model_in(tmp_path)
    assert callable(put)
    put(tmp_path / "clarifai.lock")
    ran = bounded("build", "clarifai.yaml", cwd=tmp_path)
    assert ran.returncode == 3, ran.stderr
    assert "clarifai.lock" in ran.stderr


def test_a_context_file_of_gigabytes_sets_nothing(tmp_path: Path) -> None:
    """The official CLI's file is not ours to check: one that can't be read says nothing."""
    model_in(tmp_path, MANIFEST.replace("someone", '"${env:CLARIFAI_USER_ID}"'))
    (tmp_path / ".config" / "clarifai").mkdir(parents=True)
    sparse(tmp_path / ".config" / "clarifai" / "config")
    environ = {"CLARIFAI_USER_ID": ""}
    ran = bounded("validate", "clarifai.yaml", "-o", "json", cwd=tmp_path, **environ)
    assert [one["code"] for one in json.loads(ran.stdout)["problems"]] == ["env-unset"]


def test_no_command_waits_for_a_pipe_in_the_place_of_a_zip(tmp_path: Path) -> None:
    """Nobody writes to it."""
    os.mkfifo(tmp_path / "a.zip")
    for command in ("diff", "inspect"):
        done = bounded(command, *["a.zip"] * (2 if command == "diff" else 1), cwd=tmp_path)
        assert done.returncode == 1
        assert "not a regular file" in done.stderr
