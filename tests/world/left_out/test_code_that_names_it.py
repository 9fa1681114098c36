"""What a default leaves out although the code names it is told: nothing is missed in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.validation.load import examine
from support.light_platform import INFERENCE
from support.trees import write_files

BASE = {"clarifai.yaml": b"model: {id: m, type: text-to-text}\n"}


def told(folder: Path, code: str, **files: bytes) -> list[tuple[str, str, int | None]]:
    """Validate a model whose code has these lines before the others."""
    write_files(folder, {**BASE, "inference.py": f"{code}\n{INFERENCE}".encode(), **files})
    problems = examine(folder, {}, offline=True).problems
    return [(problem.code, problem.severity, problem.line) for problem in problems]


@pytest.mark.parametrize(
    "path",
    [
        ".cache/model.bin",
        "lightning_logs/version_0/checkpoints/last.ckpt",
        ".dvc/tmp/x",
        "venv/vocab.txt",
    ],
)
def test_a_file_that_code_opens_is_an_error(tmp_path: Path, path: str) -> None:
    """At the place where it is named; either line of the hint ends it."""
    code = f"import os\nW = os.path.abspath('./{path}')"
    assert told(tmp_path, code, **{path: b""}) == [("left-out", "error", 2)]
    (problem,) = examine(tmp_path, {}, offline=True).problems
    lines = (problem.hint or "").split("`")[1::2]
    assert len(lines) == 2
    for line in lines:
        (tmp_path / ".clarifaiignore").write_text(f"{line}\n")
        remaining = {each.severity for each in examine(tmp_path, {}, offline=True).problems}
        assert "error" not in remaining


def test_what_lies_among_built_artifacts_has_to_be_moved(tmp_path: Path) -> None:
    """No rule brings it back; elsewhere it goes in."""
    assert told(tmp_path, "W = 'dist/w.onnx'", **{"dist/w.onnx": b""}) == [("left-out", "error", 1)]
    (problem,) = examine(tmp_path, {}, offline=True).problems
    assert (problem.hint or "").startswith("move it to another folder")
    (tmp_path / "dist" / "w.onnx").rename(tmp_path / "w.onnx")
    assert told(tmp_path, "W = 'w.onnx'") == []


def test_a_folder_that_code_names_is_a_warning(tmp_path: Path) -> None:
    """It may be made where the model runs."""
    assert told(tmp_path, "HERE = '.cache/hub'", **{".cache/hub/x": b""}) == [
        ("left-out", "warning", 1)
    ]


@pytest.mark.parametrize(
    "code",
    ["import wandb\nREPORT = 'wandb'", "X = 'lightning_logs'", "# .cache/x\nX = '.cached/x'", "("],
)
def test_words_that_only_resemble_a_path_are_none(tmp_path: Path, code: str) -> None:
    """Names of packages, comments, longer names; and what is no Python is told as that."""
    run = "run-20240102_030405-abc1/x"
    files = {f"wandb/{run}": b"", ".cache/x": b"", "lightning_logs/version_0/x": b""}
    assert "left-out" not in {each[0] for each in told(tmp_path, code, **files)}
