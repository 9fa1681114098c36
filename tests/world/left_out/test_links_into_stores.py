"""A link that the user sees is followed into what a default hides, or is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.artifact.layout import walk_source
from clarifai_build.source.walk import WalkResult
from clarifai_build.validation.load import examine
from support.light_platform import INFERENCE
from support.trees import manifest_of, write_files

BY_RULE = ".clarifaiignore or code.exclude"


def found(folder: Path, **code: object) -> WalkResult:
    """Walk a model's folder."""
    return walk_source(manifest_of(folder, **code))


def link(folder: Path, name: str, target: str) -> None:
    """Make a symbolic link, and the folder that it lies in."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).symlink_to(target)


STORED = {
    "git-annex": ("model.onnx", ".git/annex/objects/Ab/Cd/SHA256E-s3--0a.onnx/SHA256E-s3--0a.onnx"),
    "Git LFS": ("w.bin", ".git/lfs/objects/0a/0b/0a0b"),
    "a submodule's annex": ("w.bin", ".git/modules/data/annex/objects/x/y"),
    "Hugging Face": ("model.safetensors", ".cache/huggingface/hub/models--a--b/blobs/0a0b"),
    "DVC": ("data.bin", ".dvc/cache/files/md5/0a/0b0c"),
    "an environment": ("vocab.txt", "venv/lib/python3.11/site-packages/x/vocab.txt"),
    "a ruff cache": ("w.bin", ".ruff_cache/w"),
    "Mercurial": ("w.bin", ".hg/largefiles/0a0b"),
}


@pytest.mark.parametrize(("name", "target"), STORED.values(), ids=STORED.keys())
def test_content_in_a_store_is_taken(tmp_path: Path, name: str, target: str) -> None:
    """Under the name that the user sees; the store itself stays out."""
    write_files(tmp_path, {target: b"abc", "a.py": b""})
    link(tmp_path, name, target)
    link(tmp_path, f"deep/er/{name}", f"../../{target}")
    walked = found(tmp_path)
    assert sorted(file.path for file in walked.files) == sorted(["a.py", f"deep/er/{name}", name])
    assert (walked.problems, len(walked.left)) == ([], 1)


def test_a_snapshot_of_a_hub_is_taken_whole(tmp_path: Path) -> None:
    """A folder that is linked to, of links to blobs."""
    hub = ".cache/huggingface/hub/models--a--b"
    write_files(tmp_path, {f"{hub}/blobs/1": b"1", f"{hub}/blobs/2": b"22"})
    link(tmp_path, f"{hub}/snapshots/abc/config.json", "../../blobs/1")
    link(tmp_path, f"{hub}/snapshots/abc/onnx/model.onnx", "../../../blobs/2")
    link(tmp_path, "weights", f"{hub}/snapshots/abc")
    walked = found(tmp_path)
    assert {file.path: file.stamp.size for file in walked.files} == {
        "weights/config.json": 1,
        "weights/onnx/model.onnx": 2,
    }
    assert walked.problems == []


@pytest.mark.parametrize(
    "target",
    [
        ".env",
        ".aws/credentials",
        ".cache/x/.ssh/id",
        ".git/config",
        ".git",
        ".svn/wc.db",
        ".docker",
    ],
)
def test_credentials_and_repositories_are_errors(tmp_path: Path, target: str) -> None:
    """What the code would miss is named, with the way out; it is never packed by a link."""
    write_files(tmp_path, {f"{target}/x" if target in (".git", ".docker") else target: b""})
    link(tmp_path, "settings", target)
    walked = found(tmp_path)
    assert [(p.code, p.file) for p in walked.problems] == [("symlink", "settings")]
    assert ".clarifaiignore" in (walked.problems[0].hint or "")
    assert walked.files == []
    left = found(tmp_path, exclude=("/settings",))
    assert (left.problems, {item.path: item.reason for item in left.left}["settings"]) == (
        [],
        BY_RULE,
    )


def test_validate_tells_such_a_link(tmp_path: Path) -> None:
    """Before anything is built."""
    model = b"model: {id: m, type: text-to-text}\n"
    write_files(tmp_path, {"clarifai.yaml": model, "inference.py": INFERENCE.encode(), ".env": b""})
    link(tmp_path, "settings", ".env")
    problems = examine(tmp_path, {}, offline=True).problems
    assert [problem.code for problem in problems] == ["symlink"]
    assert "credentials" in problems[0].message


def test_what_a_rule_leaves_out_stays_out_by_a_link(tmp_path: Path) -> None:
    """A rule is the user's word, a default is not."""
    write_files(tmp_path, {"data/w": b"", ".cache/w": b""})
    link(tmp_path, "one", "data/w")
    link(tmp_path, "two", ".cache/w")
    walked = found(tmp_path, exclude=("data/", ".cache/"))
    assert {item.path: item.reason for item in walked.left} == {
        ".cache": BY_RULE,
        "data": BY_RULE,
        "one": f"leads to data: {BY_RULE}",
        "two": f"leads to .cache: {BY_RULE}",
    }


@pytest.mark.parametrize(
    ("target", "way_out"),
    [
        (".git/annex/objects/Ab/Cd/SHA256E-s3--0a/SHA256E-s3--0a", "git annex get model.onnx"),
        ("../.git/annex/objects/Ab/Cd/SHA256E-s3--0b/SHA256E-s3--0b", "git annex get model.onnx"),
        (".dvc/cache/files/md5/0a/0b", "dvc pull"),
        ("nowhere", ".clarifaiignore"),
    ],
)
def test_content_that_was_not_fetched_is_an_error(
    tmp_path: Path, target: str, way_out: str
) -> None:
    """With the command that fetches it."""
    link(tmp_path / "model", "model.onnx", target)
    (problem,) = found(tmp_path / "model").problems
    assert (problem.code, problem.file) == ("symlink", "model.onnx")
    assert way_out in (problem.hint or "")


def test_an_annex_above_the_folder_is_told_how_to_unlock(tmp_path: Path) -> None:
    """The content is there, outside of what a build needs: Git can lay it here."""
    stored = ".git/annex/objects/Ab/Cd/SHA256E-s3--0a/SHA256E-s3--0a"
    write_files(tmp_path, {stored: b"abc"})
    link(tmp_path / "models" / "a", "model.onnx", f"../../{stored}")
    (problem,) = found(tmp_path / "models" / "a").problems
    assert "leaves the folder" in problem.message
    assert "git annex unlock model.onnx" in (problem.hint or "")
