"""The list of what goes in: by path, with sizes; what can't be packed is an error."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clarifai_build.artifact.file_list import listing
from clarifai_build.artifact.layout import gather, walk_source
from clarifai_build.errors import SourceError
from support.trees import GENERATED, manifest_of, weight_of, write_files


def test_what_can_not_be_packed_is_an_error(tmp_path: Path) -> None:
    """As it is for a build."""
    write_files(tmp_path, {"a": b"a"})
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError) as caught:
        listing(manifest_of(tmp_path))
    assert [(p.code, p.file) for p in caught.value.problems] == [("odd-file", "pipe")]


def test_sizes_are_of_the_files_themselves(tmp_path: Path) -> None:
    """A link that stays out is as large as it is itself, a folder as all that is in it."""
    write_files(tmp_path, {"a": b"12345", "out/x": b"123", "out/y/z": b"4567"})
    (tmp_path / "link").symlink_to("out")
    (tmp_path / "out" / "loop").symlink_to("..")
    listed = {path: size for path, size, _ in listing(manifest_of(tmp_path, exclude=("out",)))}
    assert listed == {"a": 5, "out": 7 + len(".."), "link": len("out")}


def test_named_files_stay_out_each_for_its_reason(tmp_path: Path) -> None:
    """The manifest, its lock, what is laid at the root, and weights under their own names."""
    names = ("clarifai.yaml", "clarifai.lock", "names.txt", "needs.txt", "store/w", "other/w")
    write_files(tmp_path, dict.fromkeys(names, b""))
    manifest = manifest_of(
        tmp_path, (weight_of("w", "store/w", b""),), requirements=tmp_path / "needs.txt"
    )
    assert {path: reason for path, _, reason in listing(manifest)} == {
        "clarifai.lock": "the lock",
        "clarifai.yaml": "the manifest",
        "names.txt": "",
        "needs.txt": "laid at the root as requirements.txt",
        "other/w": "",
        "store/w": "a weight, laid at w",
    }


@pytest.mark.parametrize("name", ["model.py", "__init__.py", "inference.py", "test.py"])
def test_what_the_user_brings_is_not_generated(tmp_path: Path, name: str) -> None:
    """His replaces ours where it may."""
    write_files(tmp_path, {name: b"class TritonPythonModel: ..."})
    generated = {**GENERATED, f"1/{name}": b"# generated\n"}
    layout = gather(generated, manifest_of(tmp_path))
    assert f"1/{name}" not in layout.generated
    assert f"1/{name}" in layout.files
    assert layout.generated.keys() == generated.keys() - {f"1/{name}"}


def test_a_weight_may_not_stand_where_something_is_written(tmp_path: Path) -> None:
    """The problem is the target's, and so is the way out."""
    weights = (weight_of("serving.json", "https://h/w", b""),)
    with pytest.raises(SourceError) as caught:
        gather({**GENERATED, "1/serving.json": b"{}"}, manifest_of(tmp_path, weights))
    (problem,) = caught.value.problems
    assert (problem.code, problem.file) == ("overlap", "1/serving.json")
    assert problem.hint == "choose another `to`"
    assert (
        "the weight serving.json conflicts with a generated file at 1/serving.json"
        in problem.message
    )


def test_dvc_files_stay_out_where_their_data_is(tmp_path: Path) -> None:
    """Of another folder they say nothing."""
    write_files(tmp_path, dict.fromkeys(("a", "a.dvc", "sub/b", "b.dvc", "sub/a.dvc"), b""))
    left = {item.path: item.reason for item in walk_source(manifest_of(tmp_path)).left}
    assert left == {"a.dvc": "data version control"}
