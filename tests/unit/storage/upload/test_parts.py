"""How artifacts are cut for a multipart upload."""

from __future__ import annotations

import zlib

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import Entry, FileTree, make_tree
from clarifai_build.digests.files import CHUNK
from clarifai_build.storage.upload.parts import base64_of, cut, whole_crc32
from support.trees import artifact_of, manifest_of, write_files


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """Three files: small, of some chunks, and small again."""
    code = write_files(tmp_path_factory.mktemp("code"), {"a.txt": b"a", "z.txt": b"z" * 1000})
    with (code / "w.bin").open("wb") as file:
        file.truncate(2 * CHUNK + 777)
    return Artifact(make_tree({}, manifest_of(code)))


@pytest.mark.parametrize("even", [False, True])
def test_parts_make_up_the_zip(large: Artifact, even: bool) -> None:
    """End to end, each with the CRC-32 of its bytes, and together with that of the whole."""
    parts = cut(large, even=even)
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert parts[0].offset == 0
    assert sum(part.length for part in parts) == large.size
    at = whole = 0
    for part in parts:
        assert part.offset == at
        content = large.read(part.offset, part.length)
        assert part.crc32 == zlib.crc32(content)
        whole = zlib.crc32(content, whole)
        at += part.length
    assert whole_crc32(parts) == whole
    assert all(part.length >= CHUNK for part in parts[:-1])
    if even:
        assert {part.length for part in parts[:-1]} == {CHUNK}


def test_parts_cost_no_read(large: Artifact) -> None:
    """They end where chunks end, so all sums are known: the sources need not even be there."""
    entries = tuple(
        entry._replace(source="nowhere") if entry.path.endswith("w.bin") else entry
        for entry in large.tree.entries
    )
    assert cut(Artifact(FileTree(entries))) == cut(large)


def test_a_huge_artifact_has_at_most_10000_parts() -> None:
    """Parts grow with what is cut; nothing of the content is touched."""
    size = 1 << 40
    huge = Entry("w", 0o644, size, "0" * 64, (0,) * (size // CHUNK), "nowhere")
    parts = cut(Artifact(FileTree((huge,))))
    assert 9_000 // 2 < len(parts) <= 10_000


def test_a_small_artifact_is_one_part() -> None:
    """However many files it has."""
    artifact = artifact_of({f"f{n}": b"x" for n in range(50)})
    (part,) = cut(artifact)
    assert (part.length, base64_of(part.crc32)) == (
        artifact.size,
        base64_of(zlib.crc32(artifact.read(0, artifact.size))),
    )
