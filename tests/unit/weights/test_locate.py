"""The local file of each weight: beside the manifest, or in the cache."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clarifai_build.digests import files
from clarifai_build.errors import SourceError
from clarifai_build.manifest.types import Weight
from clarifai_build.util import cache_dir
from clarifai_build.weights.locate import is_remote, locate, refuse_mismatches
from support.trees import manifest_of, weight_of

CONTENT = b"weight"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A cache of its own."""
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_a_weight_with_a_scheme_is_fetched() -> None:
    """Anything else is a path."""
    for source in ("s3://b/k", "https://h/k", "hf://r/f"):
        assert is_remote(weight_of("w", source, b""))
    for source in ("w.bin", "../w.bin", "/w.bin", "c:w.bin"):
        assert not is_remote(weight_of("w", source, b""))


def test_files_are_found_in_the_order_of_the_manifest(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    """From the cache nothing is fetched, and its use is noted."""
    cached = cache_dir.weights_folder(environ) / weight_of("", "", CONTENT).sha256
    cached.parent.mkdir(parents=True)
    cached.write_bytes(CONTENT)
    (tmp_path / "beside.bin").write_bytes(b"local")
    weights = (
        weight_of("z.bin", "http://127.0.0.1:9/z", CONTENT),
        weight_of("a.bin", "beside.bin", b"local"),
    )
    remote, local = locate(manifest_of(tmp_path, weights), environ=environ)
    assert (remote.path, remote.file) == ("z.bin", str(cached))
    assert (local.path, local.file) == ("a.bin", str(tmp_path / "beside.bin"))
    assert not remote.executable
    assert remote.stamp.size == len(CONTENT)
    marks = [file.name for file in cached.parent.iterdir() if cache_dir.is_mark(file)]
    assert marks == [f"{cached.name}.used"]
    assert not list(tmp_path.glob("*.used"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path, environ: dict[str, str]) -> None:
    """With why."""
    manifest = manifest_of(tmp_path, (weight_of("a.bin", "nowhere.bin", CONTENT),))
    with pytest.raises(SourceError) as raised:
        locate(manifest, environ=environ)
    (problem,) = raised.value.problems
    assert (problem.code, problem.file) == ("weight-missing", str(tmp_path / "nowhere.bin"))
    assert os.strerror(2) in problem.message


def refused(*weights: Weight, content: bytes = CONTENT) -> list[tuple[str, str, str]]:
    """Return file, message and hint of each weight that does not match a content."""
    found = [files.of_bytes(content).sha256 for _ in weights]
    with pytest.raises(SourceError) as raised:
        refuse_mismatches(weights, found)
    return [(p.file or "", p.message, p.hint or "") for p in raised.value.problems]


def test_every_weight_that_differs_is_told() -> None:
    """Both digests are; a fetched one may be fetched anew."""
    good = weight_of("g.bin", "g.bin", CONTENT)
    local = weight_of("l.bin", "l.bin", b"other")
    remote = weight_of("r.bin", "https://bob:hunter2@host/r.bin?sig=hunter2", b"other")
    told = refused(good, local, remote)
    assert [file for file, _, _ in told] == ["l.bin", "https://host/r.bin"]
    assert [good.sha256 in message for _, message, _ in told] == [True, True]
    assert [local.sha256 in message for _, message, _ in told] == [True, True]
    assert ["cache prune" in hint for _, _, hint in told] == [False, True]
    assert "hunter2" not in str(told)


def test_weights_that_match_are_taken() -> None:
    """Also where there are none."""
    refuse_mismatches([weight_of("g.bin", "g.bin", CONTENT)], [files.of_bytes(CONTENT).sha256])
    refuse_mismatches([], [])
