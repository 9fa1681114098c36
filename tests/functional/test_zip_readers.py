"""What others make of our zips: Python, and every further reader that is on this machine."""

from __future__ import annotations

import gc
import random
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.deflate import deflated
from clarifai_build.artifact.packing.zip_writer import write_zip
from clarifai_build.artifact.tree import Entry, FileTree, make_tree
from clarifai_build.digests.cache import DigestCache
from clarifai_build.digests.files import CHUNK
from clarifai_build.util.cache_dir import is_mark
from support.trees import GENERATED, manifest_of, write_files

# `python -m zipfile -t` ends well whatever it finds.
PYTHON = """\
import sys, zipfile
file = zipfile.ZipFile(sys.argv[1])
sys.exit(file.testzip() or print(*file.namelist()))
"""
READERS = {
    "zipfile": [sys.executable, "-c", PYTHON],
    "unzip": ["unzip", "-t"],
    "bsdtar": ["bsdtar", "-tvf"],
    "7z": ["7z", "t"],
    "7zz": ["7zz", "t"],
    "jar": ["jar", "tf"],
}
PRESENT = [name for name, command in READERS.items() if shutil.which(command[0])]


def read_with(name: str, file: Path) -> str:
    """Let a reader list or test a zip; it fails the test if it finds fault."""
    done = subprocess.run([*READERS[name], file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_python_reads_and_who_does_not_is_told(record_property: Any) -> None:
    """Which readers are missing is said at the end of the run."""
    if missing := [name for name in READERS if name not in PRESENT]:
        record_property("told", f"zips were not read with {', '.join(missing)}: not here")
    assert PRESENT[0] == "zipfile"


@pytest.mark.parametrize("reader", PRESENT)
@pytest.mark.parametrize("compression", ["stored", "deflate"])
def test_reads(reader: str, compression: str, tmp_path: Path) -> None:
    """Stored and deflated files, empty and large ones, in folders."""
    content = random.Random(2).randbytes(1 << 20)
    files = {"a.bin": bytes(3 << 20), "b/c.txt": b"text " * 1000, "b/empty": b"", "noise": content}
    tree = make_tree(GENERATED, manifest_of(write_files(tmp_path / "code", files)))
    artifact = Artifact(tree) if compression == "stored" else deflated(tree, folder=tmp_path)
    written = write_zip(artifact, tmp_path / "a.zip")
    if compression == "deflate":
        assert written.size < sum(map(len, files.values())) - (1 << 20)
        assert artifact.digest != tree.digest
    output = read_with(reader, written.path)
    assert "b/c.txt" in output or "Everything is Ok" in output


def test_deflated_files_come_back(tmp_path: Path) -> None:
    """Bytes and CRC-32, by Python's zipfile; the second time nothing is compressed again."""
    import zipfile

    files = {"a.bin": bytes(5 << 20), "b.txt": b"text " * 1000, "c": b"?"}
    tree = make_tree({}, manifest_of(write_files(tmp_path / "code", files)))
    artifact = deflated(tree, folder=tmp_path / "kept")
    written = write_zip(artifact, tmp_path / "a.zip")
    with zipfile.ZipFile(written.path) as read:
        assert {name: read.read(name) for name in read.namelist()} == {
            f"1/{path}": content for path, content in files.items()
        }

    def kept() -> dict[Path, int]:
        files = (tmp_path / "kept").rglob("*")
        return {file: file.stat().st_mtime_ns for file in files if not is_mark(file)}

    before = kept()
    assert deflated(tree, folder=tmp_path / "kept").digest == artifact.digest
    assert kept() == before


@pytest.mark.parametrize("damaged", [b"", b"\0" * 5000, None])
def test_a_compressed_file_that_is_not_what_it_was_is_made_anew(
    tmp_path: Path, damaged: bytes | None
) -> None:
    """One digest names one sequence of bytes, whatever became of what was kept; None: removed."""
    code = write_files(tmp_path / "code", {"a.bin": bytes(5 << 20), "b.bin": bytes(6 << 20)})
    tree, kept = make_tree({}, manifest_of(code)), tmp_path / "kept"
    cache = DigestCache(tmp_path / "digests")
    expected = deflated(tree, cache=cache, folder=kept)
    content = expected.read(0, expected.size)
    (folder,) = kept.iterdir()
    file = max(folder.iterdir())
    if damaged is None:
        file.unlink()
    else:
        file.write_bytes(damaged)
    for again in (deflated(tree, cache=cache, folder=kept), deflated(tree, folder=kept)):
        assert again.read(0, again.size) == content
        assert again.crc32(0, again.size) == zlib.crc32(content)


def test_without_a_place_to_keep_them_compressed_files_go_with_the_artifact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--no-cache` keeps nothing."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    code = write_files(tmp_path / "code", {"a.bin": bytes(5 << 20)})
    for folder in (None, tmp_path / "code" / "a.bin"):
        artifact = deflated(make_tree({}, manifest_of(code)), folder=folder)
        assert len(artifact.read(0, artifact.size)) == artifact.size < 1 << 20
        del artifact
        gc.collect()
        assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("reader", PRESENT)
def test_an_entry_of_5_gib_is_read(reader: str, tmp_path: Path) -> None:
    """A sparse file of 5 GiB, and a small one that begins behind it."""
    code = write_files(tmp_path / "code", {"z.txt": b"behind"})
    with (code / "big.bin").open("wb") as file:
        file.truncate(5 << 30)
    written = write_zip(Artifact(make_tree({}, manifest_of(code))), tmp_path / "a.zip")
    assert written.size > 5 << 30
    output = read_with(reader, written.path)
    written.path.unlink()  # pytest keeps folders, and this one is large
    assert "z.txt" in output or "Everything is Ok" in output


@pytest.mark.slow
@pytest.mark.parametrize("reader", PRESENT)
def test_70000_entries_are_read(reader: str, tmp_path: Path) -> None:
    """More than 16 bits can count."""
    empty = make_tree({}, manifest_of(write_files(tmp_path / "code", {"a": b"a"}))).entries[0]
    entries = (empty._replace(path=f"1/{n // 1000}/{n}.txt") for n in range(70_000))
    written = write_zip(Artifact(FileTree.of(entries)), tmp_path / "a.zip")
    output = read_with(reader, written.path)
    assert "1/69/69999.txt" in output or "Everything is Ok" in output


def test_chunks_of_the_tree_are_those_of_the_docs() -> None:
    """CRC-32s are kept by 64 MiB, and an entry's is theirs combined."""
    assert CHUNK == 64 << 20
    assert Entry("a", 0o644, 0, "", (), b"").crc32 == 0
