"""Git LFS pointers in the place of weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clarifai_build.artifact.tree import make_tree
from clarifai_build.building import generated_files
from clarifai_build.errors import SourceError
from support.fetched import one_weight
from support.scripted_web import web

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 9\n"


@pytest.mark.parametrize("pinned", [POINTER, b"what it points to"])
def test_a_pointer_in_the_place_of_a_weight_names_its_source(
    pinned: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of the two digests the manifest has, `from` is what is to be corrected."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "code").mkdir()
    with web(lambda asked, _: asked.send(POINTER)) as server:
        manifest = one_weight(tmp_path / "code", f"{server.url}/w?token=hunter2", pinned)
        with pytest.raises(SourceError) as raised:
            make_tree({}, manifest)
        (problem,) = raised.value.problems
        assert (problem.code, problem.file) == ("lfs-pointer", f"{server.url}/w")
    assert "use the address of the file itself" in (problem.hint or "")


def test_requirements_of_the_same_name_are_no_weight(tmp_path: Path) -> None:
    """They are laid at the root, the weight below `1/`."""
    (tmp_path / "w.bin").write_bytes(POINTER)
    manifest = one_weight(tmp_path, "https://host/w.bin", POINTER)
    code = replace(manifest.code, requirements=tmp_path / "w.bin")
    with pytest.raises(SourceError) as raised:
        generated_files(replace(manifest, code=code))
    (problem,) = raised.value.problems
    assert (problem.code, problem.file) == ("lfs-pointer", str(tmp_path / "w.bin"))


def test_a_pointer_beside_the_manifest_is_to_be_pulled(tmp_path: Path) -> None:
    """It is where it belongs already."""
    (tmp_path / "w.bin").write_bytes(POINTER)
    with pytest.raises(SourceError) as raised:
        make_tree({}, one_weight(tmp_path, "w.bin", POINTER))
    (problem,) = raised.value.problems
    assert (problem.code, problem.hint) == ("lfs-pointer", "run `git lfs pull`")
    assert problem.file == str(tmp_path / "w.bin")
