"""The zip: a pure function of the tree, readable from any offset."""

from __future__ import annotations

import io
import json
import mmap
import os
import random
import shutil
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clarifai_build
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.formats.zip_format import DEFLATED
from clarifai_build.artifact.layout import gather
from clarifai_build.artifact.packing.one_pass import hash_and_write
from clarifai_build.artifact.packing.zip_writer import write_zip
from clarifai_build.artifact.segments import Content
from clarifai_build.artifact.tree import Entry, FileTree, collect, make_tree
from clarifai_build.digests import files as digests
from clarifai_build.digests.cache import DigestCache
from clarifai_build.digests.files import FileFacts
from clarifai_build.errors import ArtifactError, SourceError
from clarifai_build.progress import Event
from support.trees import (
    GENERATED,
    artifact_of,
    manifest_of,
    weight_of,
    without_content,
    write_files,
)

GOLDEN = Path(__file__).parents[2] / "golden"


def installed_pythons() -> list[str]:
    """Return an interpreter of each version that is supported and installed."""
    found = []
    for version in ("3.10", "3.11", "3.12", "3.13", "3.14"):
        kept = Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/python")
        for python in (shutil.which(f"python{version}"), *map(str, kept)):
            if python and subprocess.run([python, "-c", ""], capture_output=True).returncode == 0:
                found.append(python)
                break
    return found or [sys.executable]


PYTHONS = installed_pythons()

names = st.from_regex(r"[a-z0-9_.]{1,6}(/[a-z0-9_]{1,6}){0,2}", fullmatch=True)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, bytes]:
    """Draw files of which none is a folder of another."""
    files = draw(st.dictionaries(names, st.binary(max_size=300), max_size=8))
    folders = {path[:at] for path in files for at in range(len(path)) if path[at] == "/"}
    return {path: content for path, content in files.items() if path not in folders}


@given(trees())
def test_python_reads_back_what_was_laid_out(files: dict[str, bytes]) -> None:
    """Every file, in order of its name, with one date, one system and its mode."""
    artifact = artifact_of(files)
    with zipfile.ZipFile(io.BytesIO(artifact.read(0, artifact.size))) as read:
        assert read.testzip() is None
        assert read.namelist() == sorted(files)
        assert {name: read.read(name) for name in read.namelist()} == files
        for info in read.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert (info.create_system, info.external_attr >> 16) == (3, 0o100644)
            assert not info.extra


def test_what_is_missing_is_listed_and_can_not_be_read() -> None:
    """All else can, and digest, size and CRC-32 are as if it were there."""
    whole = artifact_of({"a": b"here", "b": b"there" * 50, "c": b"there, too"})
    there = without_content(whole, "b", "c")
    assert [entry.path for entry in there.missing] == ["b", "c"]
    assert whole.missing == ()
    assert (there.digest, there.size) == (whole.digest, whole.size)
    assert there.crc32(0, there.size) == whole.crc32(0, whole.size)
    start = there.segments[3].offset
    assert there.read(0, start) == whole.read(0, start)
    for read in (lambda: there.read(start, 1), lambda: there.crc32(start, 1)):
        with pytest.raises(SourceError) as raised:
            read()
        assert [problem.file for problem in raised.value.problems] == ["b"]
    assert [problem.file for problem in there.absence().problems] == ["b", "c"]


def test_without_sums_there_is_a_size_and_no_layout() -> None:
    """Headers hold CRC-32s: wrong ones are never made."""
    whole = artifact_of({"a": b"here", "b": b"there" * 50})
    there = without_content(whole, "b", sums=False)
    assert (there.digest, there.size, there.has_sums) == (whole.digest, whole.size, False)
    with pytest.raises(SourceError):
        there.read(0, 1)
    packed = Artifact(without_content(whole, "b").tree, encoder="deflate 1")
    with pytest.raises(SourceError):
        _ = packed.size


@given(trees(), st.data())
def test_any_range_is_that_of_the_whole(files: dict[str, bytes], data: st.DataObject) -> None:
    """Bytes and CRC-32 of a range, wherever it begins and ends."""
    artifact = artifact_of(files)
    whole = artifact.read(0, artifact.size)
    assert len(whole) == artifact.size
    start = data.draw(st.integers(0, artifact.size - 1))
    length = data.draw(st.integers(1, artifact.size))
    assert artifact.read(start, length) == whole[start : start + length]
    assert artifact.crc32(start, length) == zlib.crc32(whole[start : start + length])


@given(trees())
def test_tree_decides_the_bytes(files: dict[str, bytes]) -> None:
    """Files that come in another order give the same zip."""
    backwards = dict(sorted(files.items(), reverse=True))
    one, other = artifact_of(files), artifact_of(backwards)
    assert one.digest == other.digest
    assert one.read(0, one.size) == other.read(0, other.size)


@pytest.mark.parametrize(("start", "stop"), [(1000, 3000), (0, 2000), (400, 2500), (0, 3000)])
def test_the_sum_of_most_of_a_chunk_comes_from_the_rest(start: int, stop: int) -> None:
    """What is around a range is read, not the range: here, only that is what it was."""
    content = random.Random(1).randbytes(3000)
    digest = digests.of_bytes(content)
    damaged = content[:start] + bytes(stop - start) + content[stop:]
    entry = Entry("a", 0o644, 3000, digest.sha256, digest.chunks, damaged)
    artifact = Artifact(FileTree((entry,)))
    at = artifact.segments[1].offset
    assert artifact.crc32(at + start, stop - start) == zlib.crc32(content[start:stop])


def test_sums_of_known_chunks_are_not_read_again(tmp_path: Path) -> None:
    """The CRC-32 of a whole file of many chunks comes from the tree; a range's edges are read."""
    size = 2 * digests.CHUNK + 5
    with (tmp_path / "w").open("wb") as file:
        file.truncate(size)
    artifact = Artifact(make_tree({}, manifest_of(tmp_path)))
    expected = zlib.crc32(b"".join(artifact.blocks(0, artifact.size)))
    middle = zlib.crc32(artifact.read(1000, digests.CHUNK))
    assert artifact.crc32(1000, digests.CHUNK) == middle
    (tmp_path / "w").unlink()
    assert artifact.crc32(0, artifact.size) == expected


def test_sizes_over_4_gib_are_zip64_and_smaller_ones_are_not() -> None:
    """Headers alone: nothing of the content is touched."""
    largest = 0xFFFFFFFE
    for size, wide in ((largest, False), (largest + 1, True), (5 << 30, True)):
        chunks = (0,) * (-(-size // digests.CHUNK))
        big = Entry("big", 0o644, size, "0" * 64, chunks, "nowhere")
        header = Artifact(FileTree((big,))).segments[0].source
        assert (b"\x01\x00\x10\x00" in bytes(header)) == wide  # type: ignore[arg-type]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 0xFFFFFFFE, 0xFFFFFFFF, 5 << 30]),
            st.sampled_from([1, 0xFFFFFFFE, 0xFFFFFFFF]),
            st.sampled_from(["a", "é", "long" * 20]),
        ),
        max_size=5,
    ),
    st.booleans(),
)
def test_the_size_is_known_without_headers(
    drawn: list[tuple[int, int, str]], compressed: bool
) -> None:
    """Of files and offsets around 4 GiB, compressed or not: it is where the last segment ends."""
    entries = tuple(
        Entry(f"{number}{name}", 0o644, size, "0" * 64, (0,) * -(-size // digests.CHUNK), "nowhere")
        for number, (size, _, name) in enumerate(drawn)
    )
    contents = tuple(Content(DEFLATED, b"", 0, packed, (0,), None) for _, packed, _ in drawn)
    artifact = Artifact(FileTree(entries), contents if compressed else None)
    last = artifact.segments[-1]
    assert artifact.size == last.offset + last.length


def test_65535_files_are_zip64_and_fewer_are_not() -> None:
    """The count that 16 bits can't hold."""
    for count, wide in ((65_534, False), (65_535, True)):
        tree = FileTree(tuple(Entry(f"{n:05}", 0o644, 0, "", (), b"") for n in range(count)))
        tail = Artifact(tree).segments[-1].source
        assert (b"PK\x06\x06" in bytes(tail)) == wide  # type: ignore[arg-type]
        assert Artifact(tree).size == Artifact(tree).segments[-1].offset + len(tail)


def test_golden_bytes_hold() -> None:
    """The digests of known trees, which must never change while the format is 1."""
    golden = json.loads((GOLDEN / "artifacts.json").read_text())
    found = subprocess.run(
        [sys.executable, GOLDEN / "digest.py"], capture_output=True, text=True, check=True
    )
    assert json.loads(found.stdout) == golden


@pytest.mark.parametrize("python", PYTHONS)
def test_golden_bytes_hold_on_every_python(python: str) -> None:
    """In each interpreter that is installed, under another umask, locale and time zone."""
    environ = {
        "PYTHONPATH": str(Path(clarifai_build.__file__).parent.parent),
        "PATH": os.environ["PATH"],
        "LC_ALL": "C",
        "TZ": "Pacific/Kiritimati",
        "PYTHONHASHSEED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = ["sh", "-c", 'umask 077; exec "$0" "$1"', python, GOLDEN / "digest.py"]
    found = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == json.loads((GOLDEN / "artifacts.json").read_text())


def test_a_file_that_changes_while_it_is_packed_is_named(tmp_path: Path) -> None:
    """Between laying out and packing, even if its size stays."""
    write_files(tmp_path, {"a.bin": b"x" * 2000})
    artifact = Artifact(make_tree({}, manifest_of(tmp_path)))
    (tmp_path / "a.bin").write_bytes(b"y" * 2000)
    os.utime(tmp_path / "a.bin", ns=(0, 0))
    with pytest.raises(SourceError, match=r"a\.bin changed while it was read"):
        artifact.read(0, artifact.size)


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """The error names the target, and no part of the zip stays."""
    code = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from clarifai_build.artifact.packing.zip_writer import write_zip\n"
        "from support.trees import artifact_of\n"
        "from clarifai_build.errors import ArtifactError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "try:\n    write_zip(artifact_of({'a': bytes(2 << 20)}), Path(sys.argv[1]) / 'a.zip')\n"
        "except ArtifactError as error:\n    print(error)\n"
    )
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], env=environ, capture_output=True, text=True
    )
    assert "a.zip can't be written: File too large" in done.stdout, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    """A file where a folder has to be."""
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match=r"file/a\.zip can't be written"):
        write_zip(artifact_of({"a": b""}), tmp_path / "file" / "a.zip")


def test_the_zip_on_disk_is_the_artifact(tmp_path: Path) -> None:
    """Large files and small ones, from a folder of both."""
    content = random.Random(1).randbytes(9 << 20)
    files = {"a.bin": content, "b.txt": b"small", "c.bin": content[: 1 << 20]}
    artifact = Artifact(make_tree({}, manifest_of(write_files(tmp_path / "code", files))))
    written = write_zip(artifact, tmp_path / "out" / "a.zip")
    data = written.path.read_bytes()
    assert data == artifact.read(0, artifact.size)
    assert written.sha256 == digests.of_bytes(data).sha256
    assert (written.size, written.artifact_digest) == (len(data), artifact.digest)
    assert oct(written.path.stat().st_mode) == "0o100644"


def test_a_cold_build_gives_what_two_steps_give(tmp_path: Path) -> None:
    """Hashed and packed in one read, with large, small, linked and known files among them."""
    large = random.Random(4).randbytes(70 << 20)
    files = {"a.bin": large, "b.txt": b"small", "c/d.bin": large[: 2 << 20]}
    code = write_files(tmp_path / "code", files)
    (code / "link.bin").symlink_to("a.bin")
    manifest = manifest_of(code)
    time.sleep(0.15)  # so that the digests may be kept
    cache = DigestCache(tmp_path / "digests")
    layout = collect(GENERATED, manifest)
    artifact, written = hash_and_write(layout, tmp_path / "a.zip", cache=cache)
    expected = Artifact(make_tree(GENERATED, manifest))
    assert artifact.tree == expected.tree
    assert written.path.read_bytes() == expected.read(0, expected.size)
    assert written.sha256 == digests.of_bytes(written.path.read_bytes()).sha256
    assert cache.plan(str(manifest.path), gather({}, manifest).found).is_done
    again, rewritten = hash_and_write(layout, tmp_path / "b.zip", cache=cache)
    assert (again.tree, rewritten.sha256) == (artifact.tree, written.sha256)


def test_a_cold_build_notices_what_times_do_not_tell(tmp_path: Path) -> None:
    """A page that is dirty already changes through a mapping without a new mtime."""
    code = write_files(tmp_path / "code", {"w.bin": bytes(70 << 20)})
    target = tmp_path / "out" / "a.zip"
    with (code / "w.bin").open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[1] = 1
        time.sleep(0.2)

        def change(event: Event) -> None:
            if event.stage == "hash" and event.done == event.total:
                mapped[2] = 1

        with pytest.raises(SourceError, match=r"w\.bin changed while it was read"):
            hash_and_write(collect(GENERATED, manifest_of(code)), target, change)
    assert not target.parent.exists()


def test_a_file_that_becomes_a_pipe_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Opening a pipe waits for somebody to write to it, unless it is told not to."""
    write_files(tmp_path, {"a.bin": b"x" * 2000})
    artifact = Artifact(make_tree({}, manifest_of(tmp_path)))
    (tmp_path / "a.bin").unlink()
    os.mkfifo(tmp_path / "a.bin")
    with pytest.raises(SourceError, match=r"a\.bin changed while it was read"):
        artifact.read(0, artifact.size)


def test_all_files_that_can_not_be_read_are_named(tmp_path: Path) -> None:
    """Rather than the first of them; one that is gone is said to be gone."""
    found = gather({}, manifest_of(write_files(tmp_path, dict.fromkeys("abc", b"x")))).found
    (tmp_path / "a").unlink()
    (tmp_path / "b").unlink()
    (tmp_path / "b").mkdir()
    facts = digests.of_files(found)
    codes = {(Path(p.file or "").name, p.code) for p in facts.problems}
    assert codes == {("a", "vanished"), ("b", "unreadable")}
    assert facts.digests == {str(tmp_path / "c"): digests.of_bytes(b"x")}


def test_a_cold_build_refuses_what_two_steps_refuse(tmp_path: Path) -> None:
    """A wrong weight is found at the end, and nothing is left."""
    code = write_files(tmp_path / "code", {"w.bin": bytes(70 << 20)})
    manifest = manifest_of(code, (weight_of("w.bin", "w.bin", b"another"),))
    with pytest.raises(SourceError, match="has SHA-256"):
        hash_and_write(collect(GENERATED, manifest), tmp_path / "out" / "a.zip")
    assert not (tmp_path / "out").exists()


def test_a_cold_build_refuses_secrets_before_it_reads_what_is_large(tmp_path: Path) -> None:
    """They are in small files, if anywhere."""
    files = {"w.bin": bytes(70 << 20), "token": b"hf_" + b"aB" * 17}
    layout = collect(GENERATED, manifest_of(write_files(tmp_path / "code", files)))
    events: list[Event] = []
    with pytest.raises(SourceError, match="token holds a Hugging Face token"):
        hash_and_write(layout, tmp_path / "a.zip", events.append)
    assert events == []
    assert not (tmp_path / "a.zip").exists()


def test_a_cold_build_that_verifies_names_what_the_cache_has_wrong(tmp_path: Path) -> None:
    """No zip is left, and the cache is mended."""
    code = write_files(tmp_path / "code", {"w.bin": bytes(70 << 20)})
    time.sleep(0.15)  # so that the digests may be kept
    layout = collect(GENERATED, manifest_of(code))
    cache = DigestCache(tmp_path / "digests")
    plan = cache.plan(layout.manifest_path, layout.found)
    cache.keep(plan, FileFacts({str(code / "w.bin"): digests.of_bytes(b"another")}, {}))
    verifying = cache._replace(verify=True)
    with pytest.raises(ArtifactError, match=r"a digest of .*w\.bin that is not"):
        hash_and_write(layout, tmp_path / "a.zip", cache=verifying)
    assert not (tmp_path / "a.zip").exists()
    artifact, _ = hash_and_write(layout, tmp_path / "a.zip", cache=verifying)
    assert artifact.tree == make_tree(GENERATED, manifest_of(code))


def test_a_file_may_be_two_weights(tmp_path: Path) -> None:
    """It is read once, and lies in the zip twice."""
    content = random.Random(4).randbytes(66 << 20)
    code = write_files(tmp_path / "code", {"w.bin": content})
    weights = tuple(weight_of(to, "w.bin", content) for to in ("one.bin", "two.bin"))
    manifest = manifest_of(code, weights)
    read: list[int] = []
    artifact, written = hash_and_write(
        collect(GENERATED, manifest),
        tmp_path / "a.zip",
        lambda event: read.append(event.done or 0) if event.stage == "hash" else None,
    )
    assert max(read) == len(content)
    assert artifact.tree == make_tree(GENERATED, manifest)
    assert written.path.read_bytes() == artifact.read(0, artifact.size)
