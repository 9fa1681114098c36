"""A tree to a folder: every file with its mode, all or nothing, never over what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.artifact.folder_writer import write_folder
from clarifai_build.artifact.tree import FileTree, make_tree
from clarifai_build.errors import ArtifactError, SourceError
from support.trees import GENERATED, entry_of, manifest_of, write_files


def test_a_file_that_changed_since_is_refused(tmp_path: Path) -> None:
    """Its digest would not be that of what is written."""
    code = write_files(tmp_path / "code", {"inference.py": b"pass\n", "a.txt": b"one"})
    tree = make_tree(GENERATED, manifest_of(code))
    (code / "inference.py").write_bytes(b"other\n")
    with pytest.raises(SourceError, match=r"inference\.py"):
        write_folder(tree, tmp_path / "out")
    assert [file.name for file in tmp_path.iterdir()] == ["code"]


TREE = FileTree.of(
    [entry_of("a/b/c.txt", b"text"), entry_of("run.sh", b"#!", 0o755), entry_of("empty", b"")]
)


def content_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return the files below a folder with their modes."""
    return {
        file.relative_to(folder).as_posix(): (file.read_bytes(), file.stat().st_mode & 0o777)
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.mark.parametrize("there", ["nothing", "empty folder", "no parent"])
def test_every_file_is_written(tmp_path: Path, there: str) -> None:
    """Into a new folder, or an empty one; nothing is left beside it."""
    target = tmp_path / ("sub/out" if there == "no parent" else "out")
    if there == "empty folder":
        target.mkdir()
    write_folder(TREE, target)
    assert content_of(target) == {
        "a/b/c.txt": (b"text", 0o644),
        "empty": (b"", 0o644),
        "run.sh": (b"#!", 0o755),
    }
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("there", ["file", "folder with a file"])
def test_what_is_there_stays(tmp_path: Path, there: str) -> None:
    """It is named, with what can be done."""
    target = tmp_path / "out"
    if there == "file":
        target.write_bytes(b"the user's")
    else:
        target.mkdir()
        (target / "a").write_bytes(b"the user's")
    with pytest.raises(ArtifactError, match="exists and is not an empty folder") as caught:
        write_folder(TREE, target)
    (problem,) = caught.value.problems
    assert (problem.code, problem.file) == ("not-empty", str(target))
    assert "--output" in (problem.hint or "")
    assert [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()] == [b"the user's"]


def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    """A file where a folder has to be."""
    (tmp_path / "file").touch()
    target = tmp_path / "file" / "out"
    with pytest.raises(ArtifactError, match="out can't be written: File exists") as caught:
        write_folder(TREE, target)
    assert [(p.code, p.file) for p in caught.value.problems] == [("unwritable", str(target))]
