"""Compressed files: any inflater gives them back, and what is kept of them is used again."""

from __future__ import annotations

import hashlib
import io
import os
import random
import shutil
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.deflate import deflated
from clarifai_build.artifact.formats import zip_format
from clarifai_build.artifact.formats.zip_reader import read_entry, read_listing
from clarifai_build.artifact.tree import FileTree, make_tree
from clarifai_build.digests.cache import DigestCache
from clarifai_build.errors import ArtifactError, SourceError
from clarifai_build.progress import Event
from clarifai_build.util.cache_dir import mark_of
from support.trees import artifact_of, manifest_of, write_files

MIB = 1 << 20
NOISE = random.Random(3).randbytes(MIB + 5)
FILES = {"big": b"text" * MIB, "empty": b"", "noise": NOISE, "one": b"1", "small": b"text" * 99}


def tree_of(folder: Path) -> FileTree:
    """Lay out a folder of files that compress well and badly, large and small."""
    return make_tree({}, manifest_of(write_files(folder, FILES)))


def sha256_of(file: Path) -> str:
    """Return the digest of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def methods(artifact: Artifact) -> dict[str, int]:
    """Return how each file lies in the zip."""
    assert artifact.contents is not None
    pairs = zip(artifact.tree.entries, artifact.contents, strict=True)
    return {entry.path.removeprefix("1/"): content.method for entry, content in pairs}


def inflated(artifact: Artifact) -> dict[str, bytes]:
    """Return the files of the zip, as our reader and Python's give them.

    Ours sees to it that each stream has an end, which Python's does not miss.
    """
    ours = {
        entry.path.removeprefix("1/"): b"".join(read_entry(artifact.read, entry))
        for entry in read_listing(artifact.read, artifact.size)
    }
    with zipfile.ZipFile(io.BytesIO(artifact.read(0, artifact.size))) as read:
        assert read.testzip() is None
        assert {name.removeprefix("1/"): read.read(name) for name in read.namelist()} == ours
    return ours


def test_what_gets_no_smaller_is_stored(tmp_path: Path) -> None:
    """Noise and next to nothing; everything comes back whole."""
    artifact = deflated(tree_of(tmp_path / "code"), folder=tmp_path / "kept")
    stored, packed = zip_format.STORED, zip_format.DEFLATED
    assert methods(artifact) == {
        **{"big": packed, "empty": stored, "noise": stored, "one": stored, "small": packed}
    }
    assert inflated(artifact) == FILES
    whole = artifact.read(0, artifact.size)
    assert artifact.crc32(0, artifact.size) == zlib.crc32(whole)
    assert artifact.crc32(7, 5000) == zlib.crc32(whole[7:5007])


@given(st.dictionaries(st.from_regex(r"[a-z]{1,4}", fullmatch=True), st.binary(max_size=400)))
def test_small_files_come_back(files: dict[str, bytes]) -> None:
    """Whatever is in them."""
    assert inflated(deflated(artifact_of(files).tree)) == files


def test_the_encoder_has_a_name(tmp_path: Path) -> None:
    """With its version, since another may give other bytes."""
    import isal

    artifact = deflated(tree_of(tmp_path / "code"))
    assert artifact.encoder == f"clarifai-build deflate 1 isal {isal.__version__}"
    assert artifact.digest != artifact.tree.digest


def test_where_it_is_kept_changes_nothing(tmp_path: Path) -> None:
    """In the cache, or as long as the artifact is."""
    tree = tree_of(tmp_path / "code")
    kept, passing = deflated(tree, folder=tmp_path / "kept"), deflated(tree)
    assert kept.read(0, kept.size) == passing.read(0, passing.size)
    assert kept.digest == passing.digest


def test_large_files_are_kept_and_marked(tmp_path: Path) -> None:
    """Under the encoder's version; what lies there is used, and its mark tells when."""
    tree = tree_of(tmp_path / "code")
    deflated(tree, folder=tmp_path / "kept")
    (folder,) = (tmp_path / "kept").iterdir()
    files = [file for file in folder.iterdir() if not file.name.endswith(".used")]
    large = {entry.sha256 for entry in tree.entries if entry.size >= MIB}
    names = [file.name.split("-") for file in files]
    assert {content for content, _ in names} == large
    assert [own for _, own in names] == [sha256_of(file) for file in files]
    assert sorted(folder.iterdir()) == sorted([*files, *map(mark_of, files)])
    for file in files:
        os.utime(mark_of(file), (0, 0))
    before = {file: file.stat().st_ino for file in files}
    deflated(tree, folder=tmp_path / "kept")
    assert {file: file.stat().st_ino for file in files} == before
    assert min(mark_of(file).stat().st_mtime for file in files) > 0


def test_what_is_not_what_its_name_says_goes(tmp_path: Path) -> None:
    """Or it would be found again, and again be made anew."""
    tree = tree_of(tmp_path / "code")
    deflated(tree, folder=tmp_path / "kept")
    (folder,) = (tmp_path / "kept").iterdir()
    before = {file.name for file in folder.iterdir()}
    big = next(entry.sha256 for entry in tree.entries if entry.path == "1/big")
    odd = folder / f"{big}-{'f' * 64}"
    odd.write_bytes(b"another")
    artifact = deflated(tree, folder=tmp_path / "kept")
    assert inflated(artifact) == FILES
    assert {file.name for file in folder.iterdir()} - {mark_of(odd).name} == before


def test_content_is_compressed_once_a_tree(tmp_path: Path) -> None:
    """Two files of one content share what is kept."""
    files = {"a": b"text" * MIB, "b": b"text" * MIB}
    tree = make_tree({}, manifest_of(write_files(tmp_path / "code", files)))
    artifact = deflated(tree, folder=tmp_path / "kept")
    assert inflated(artifact) == files
    (folder,) = (tmp_path / "kept").iterdir()
    assert len([file for file in folder.iterdir() if not file.name.endswith(".used")]) == 1


def test_progress_counts_every_byte_once(tmp_path: Path) -> None:
    """Of the files as they are."""
    heard: list[Event] = []
    deflated(tree_of(tmp_path / "code"), heard.append)
    total = sum(map(len, FILES.values()))
    assert {(event.stage, event.total) for event in heard} == {("deflate", total)}
    assert heard[-1].done == total
    assert [event.done for event in heard] == sorted(event.done or 0 for event in heard)


@pytest.mark.parametrize("file", ["big", "small"])
def test_a_file_that_changed_is_named(tmp_path: Path, file: str) -> None:
    """And nothing of it is kept."""
    tree = tree_of(tmp_path / "code")
    (tmp_path / "code" / file).write_bytes(b"other")
    with pytest.raises(SourceError, match=f"{file} changed while it was read"):
        deflated(tree, folder=tmp_path / "kept")
    (folder,) = (tmp_path / "kept").iterdir()
    big = next(entry.sha256 for entry in tree.entries if entry.path == "1/big")
    there = [path.name for path in folder.iterdir() if path.name.startswith(("." + big, big))]
    assert bool(there) == (file == "small")


def test_a_damaged_compressed_file_is_made_again(tmp_path: Path) -> None:
    """Without a cache of digests, and with one that knows its stamp no more."""
    tree, kept = tree_of(tmp_path / "code"), tmp_path / "kept"
    expected = deflated(tree, folder=kept)
    content = expected.read(0, expected.size)
    (folder,) = kept.iterdir()
    sha256 = next(entry.sha256 for entry in tree.entries if entry.path == "1/big")
    (file,) = (f for f in folder.glob(f"{sha256}-*") if not f.name.endswith(".used"))
    whole = file.read_bytes()
    for cache in (DigestCache(), DigestCache(tmp_path / "digests")):
        file.write_bytes(whole[:-1] + b"\0")
        again = deflated(tree, cache=cache, folder=kept)
        assert again.read(0, again.size) == content
        assert file.read_bytes() == whole


def test_no_place_for_temporary_files_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the place."""
    tree = tree_of(tmp_path / "code")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(ArtifactError, match="nowhere can't be written: No such file") as caught:
        deflated(tree)
    problem = caught.value.problems[0]
    assert (problem.code, problem.file) == ("unwritable", str(tmp_path / "nowhere"))


def test_a_place_that_goes_is_an_error(tmp_path: Path) -> None:
    """After the first of two files was put there, say."""
    write_files(tmp_path / "code", {"a": b"a" * MIB, "b": b"b" * MIB})
    tree = make_tree({}, manifest_of(tmp_path / "code"))
    with pytest.raises(ArtifactError, match="can't be written: No such file") as caught:
        deflated(tree, lambda _: shutil.rmtree(tmp_path / "kept", True), folder=tmp_path / "kept")
    (problem,) = caught.value.problems
    assert problem.code == "unwritable"
    assert Path(problem.file or "").parent == tmp_path / "kept"


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without python-isal there is no compression, and a way to get it."""
    monkeypatch.setitem(sys.modules, "isal", None)
    with pytest.raises(ArtifactError, match="not installed") as caught:
        deflated(tree_of(tmp_path / "code"))
    assert caught.value.problems[0].code == "deflate-missing"
    assert "clarifai-build[deflate]" in (caught.value.problems[0].hint or "")
