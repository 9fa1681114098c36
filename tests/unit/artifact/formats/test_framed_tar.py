"""The tar.gz of a tree: read by the tools that others read it with, and by ranges."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import tarfile
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarifai_build.artifact.absent import Absent
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.formats import tar_format
from clarifai_build.artifact.tree import Entry, FileTree
from clarifai_build.digests import crc32 as crc
from clarifai_build.digests.files import CHUNK, of_bytes
from clarifai_build.errors import Problem
from support.trees import entry_of

_LETTERS = st.characters(whitelist_categories=("Ll", "Lu", "Nd", "Lo"), whitelist_characters="-_ ")
_NAMES = st.text(_LETTERS, min_size=1, max_size=40).map(lambda name: name.strip() or "a")
_LONG = st.integers(90, 255).map(lambda length: "n" * length)
_PATHS = st.lists(st.one_of(_NAMES, _LONG), min_size=1, max_size=4).map("/".join)
# Around what a block of the tar holds, and a stored block of gzip.
_EDGES = [0, 1, 511, 512, 513, 64_000, 64_511, 64_512, 65_534, 65_535, 65_536, 131_070, 200_000]
_SIZES = st.one_of(st.sampled_from(_EDGES), st.integers(0, 1000))


def _bytes_of(size: int) -> bytes:
    return bytes(range(256)) * (size // 256) + bytes(range(size % 256))


@st.composite
def _trees(draw: st.DrawFn) -> FileTree:
    paths = draw(st.lists(_PATHS, min_size=1, max_size=6, unique=True))
    entries = [
        entry_of(path, _bytes_of(draw(_SIZES)))._replace(mode=draw(st.sampled_from([0o644, 0o755])))
        for path in sorted(paths)
    ]
    return FileTree(tuple(entries))


def _whole(artifact: Artifact) -> bytes:
    return artifact.read(0, artifact.size)


def _content(entry: Entry) -> bytes:
    assert isinstance(entry.source, bytes)
    return entry.source


@settings(max_examples=60, deadline=None)
@given(_trees())
def test_python_reads_what_was_put_in(tree: FileTree) -> None:
    artifact = Artifact.tar_gz(tree)
    body = _whole(artifact)
    assert len(body) == artifact.size
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(body))) as tar:
        found = [(m.name, m.mode, m.size, m.mtime, m.uid, m.gid, m.uname) for m in tar]
        assert found == [(e.path, e.mode, e.size, 315_532_800, 0, 0, "") for e in tree.entries]
        for member, entry in zip(tar.getmembers(), tree.entries, strict=True):
            stream = tar.extractfile(member)
            assert stream is not None
            assert stream.read() == entry.source


@settings(max_examples=60, deadline=None)
@given(_trees(), st.data())
def test_every_range_is_that_of_the_whole(tree: FileTree, data: st.DataObject) -> None:
    artifact = Artifact.tar_gz(tree)
    body = _whole(artifact)
    start = data.draw(st.integers(0, len(body)))
    length = data.draw(st.integers(0, len(body)))
    expected = body[start : start + length]
    assert artifact.read(start, length) == expected
    assert artifact.crc32(start, length) == zlib.crc32(expected)
    buffer = memoryview(bytearray(length))
    artifact.read_into(buffer, start)
    assert buffer[: len(expected)] == expected
    spans = list(artifact.spans(start, length))
    assert sum(span.length for span in spans) == len(expected)


@settings(max_examples=40, deadline=None)
@given(_trees())
def test_pieces_are_the_contents_of_files(tree: FileTree) -> None:
    artifact = Artifact.tar_gz(tree)
    found: dict[int, bytes] = {}
    for offset in range(0, artifact.size, 70_000):
        buffer = memoryview(bytearray(min(70_000, artifact.size - offset)))
        for segment, piece in artifact.read_into(buffer, offset):
            found[segment] = found.get(segment, b"") + bytes(piece)
    inner = b"".join(found[segment.offset] for segment in artifact.segments)
    assert inner == gzip.decompress(_whole(artifact))


@pytest.mark.parametrize(
    "path", ["1/model.py", "a" * 100, "a" * 101, "1/dög.txt", "d/" * 200 + "f"]
)
@pytest.mark.parametrize("size", [0, 8**11 - 1, 8**11, 300 << 30])
def test_a_header_is_that_of_python(path: str, size: int) -> None:
    info = tarfile.TarInfo(path)
    info.mode, info.size, info.mtime = 0o755, size, 315_532_800
    expected = info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    assert tar_format.header(path, 0o755, size) == expected
    whole = len(expected) + size + -size % 512 + 1024
    assert tar_format.size_of([(path, size)]) == whole


def test_equal_trees_give_equal_bytes_and_others_another_identity() -> None:
    tree = FileTree((entry_of("a", b"a"),))
    assert _whole(Artifact.tar_gz(tree)) == _whole(Artifact.tar_gz(tree))
    assert Artifact.tar_gz(tree).digest != Artifact(tree).digest
    identity = f"gzip-stored 1\n{tree.digest}\n".encode()
    assert Artifact.tar_gz(tree).digest == of_bytes(identity).sha256


def test_gzip_says_nothing_of_the_machine() -> None:
    body = _whole(Artifact.tar_gz(FileTree((entry_of("a", b"a"),))))
    assert body[:10] == b"\x1f\x8b\x08\x00\0\0\0\0\x00\xff"


_TOOLS = [
    ("gzip", ["gzip", "-t"]),
    ("tar", ["tar", "-tzf", "-"]),
    ("bsdtar", ["bsdtar", "-tzf", "-"]),
    ("busybox", ["busybox", "tar", "-tzf", "-"]),
]


@pytest.mark.parametrize("command", [c for name, c in _TOOLS if shutil.which(name)], ids=" ".join)
def test_other_tools_read_it(command: list[str]) -> None:
    paths = ["1/" + "d" * 90 + "/" + "f" * 90 + ".txt", "1/model.py", "config.yaml"]
    tree = FileTree(tuple(entry_of(path, _bytes_of(70_000)) for path in paths))
    done = subprocess.run(command, input=_whole(Artifact.tar_gz(tree)), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    if "tar" in command[0] or "tar" in command:
        assert done.stdout.decode().split() == paths


def test_files_are_extracted_by_tar(tmp_path: Path) -> None:
    entries = (entry_of("1/run.sh", b"echo")._replace(mode=0o755), entry_of("é/ü", b"umlaut"))
    body = _whole(Artifact.tar_gz(FileTree(entries)))
    subprocess.run(["tar", "-xzf", "-", "-C", tmp_path], input=body, check=True)
    for entry in entries:
        assert (tmp_path / entry.path).read_bytes() == _content(entry)
    assert os.access(tmp_path / "1/run.sh", os.X_OK)


def _absent_zeros(path: str, size: int) -> Entry:
    """Return a file of zeros that nobody has, with its CRC-32s."""
    chunk = zlib.crc32(bytes(CHUNK))
    count, rest = divmod(size, CHUNK)
    chunks = (chunk,) * count + ((zlib.crc32(bytes(rest)),) if rest else ())
    problem = Problem("content-absent", "it is not here")
    return Entry(path, 0o644, size, "0" * 64, chunks, Absent("0" * 64, size, problem))


def test_300_gb_are_laid_out_in_little_memory() -> None:
    size = 300 * 1000**3
    tree = FileTree((_absent_zeros("w", size), entry_of("x", b"x")))
    tracemalloc.start()
    artifact = Artifact.tar_gz(tree)
    tail = artifact.read(artifact.size - 8, 8)
    middle = next(artifact.spans(artifact.size // 2, 1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    header = tar_format.header("w", 0o644, size)
    rest = tar_format.padding(size) + tar_format.header("x", 0o644, 1) + b"x" + bytes(511 + 1024)
    zeros = crc.combine_all((c, CHUNK) for c in artifact.tree.entries[0].chunks[:-1])
    last = size % CHUNK
    zeros = crc.combine(zeros, zlib.crc32(bytes(last)), last)
    whole = crc.combine_all(
        ((zlib.crc32(header), len(header)), (zeros, size), (zlib.crc32(rest), len(rest)))
    )
    inner = len(header) + size + len(rest)
    assert tail == whole.to_bytes(4, "little") + (inner % 2**32).to_bytes(4, "little")
    assert artifact.size == inner + 5 * -(-inner // 65_535) + 18
    assert 0 < middle.start < size
    assert peak < 4 << 20
