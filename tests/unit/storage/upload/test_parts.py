"""How artifacts are cut for a multipart upload: end to end, none too small or too many."""

from __future__ import annotations

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import Entry, FileTree, make_tree
from clarifai_build.digests.files import CHUNK
from clarifai_build.storage.upload.copy_sources import LEAST_PART, CopySource
from clarifai_build.storage.upload.parts import Part, base64_of, cut_runs, whole_crc32
from support.parts import cut
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


def test_what_is_copied_is_cut_like_the_rest(large: Artifact) -> None:
    """A line is added before a weight: its parts are copied from the old zip but for a start, and
    their sums follow from those of its chunks and of what is sent."""
    before = Artifact(FileTree(tuple(e for e in large.tree.entries if e.path != "1/a.txt")))
    source = CopySource.of_zip("bucket", "old", "etag", before)
    parts = cut(large, [source])
    sent, *copies, last = parts
    assert (sent.source, sent.length, last.source) == (None, LEAST_PART, None)
    assert [part.source for part in copies] == [source] * len(copies)
    assert max(part.length for part in copies) <= 2 * CHUNK
    whole = large.read(0, large.size)
    old = before.read(0, before.size)
    for part in parts:
        assert part.crc32 == zlib.crc32(whole[part.offset : part.offset + part.length])
    for part in copies:
        assert part.crc32 == zlib.crc32(old[part.start : part.start + part.length])
    assert whole_crc32(parts) == zlib.crc32(whole)


def test_parts_are_even_where_a_store_wants_them_so(large: Artifact) -> None:
    """Then nothing is copied: what is copied begins where it must."""
    assert cut(large, [CopySource.of_zip("bucket", "key", "etag", large)], even=True) == cut(
        large, even=True
    )


CRCS = st.integers(0, 2**32 - 1)


@st.composite
def artifacts(draw: st.DrawFn) -> Artifact:
    """Draw files of any size whose content lies nowhere: only their sums are known."""
    entries = []
    for number in range(draw(st.integers(1, 5))):
        size = draw(st.integers(0, 5 * CHUNK) | st.sampled_from([CHUNK - 1, CHUNK, CHUNK + 1]))
        chunks = tuple(draw(CRCS) for _ in range(-(-size // CHUNK)))
        sha256 = draw(st.sampled_from(["aa", "bb", "cc"])) * 32
        entries.append(Entry(f"1/{number}", 0o644, size, sha256, chunks, "/nowhere"))
    return Artifact(FileTree.of(entries))


@given(artifacts())
def test_parts_follow_each_other(artifact: Artifact) -> None:
    """From the first byte to the last, each but the last of a chunk at the least."""
    parts = cut(artifact)
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    ends = [part.offset + part.length for part in parts]
    assert [part.offset for part in parts] == [0, *ends[:-1]]
    assert ends[-1] == artifact.size
    assert min([part.length for part in parts[:-1]], default=CHUNK) >= CHUNK
    assert min(part.length for part in parts) > 0
    assert len(parts) <= max(1, artifact.size // CHUNK + 1)


@given(artifacts(), artifacts())
def test_parts_of_copies_keep_the_limits_of_s3(artifact: Artifact, other: Artifact) -> None:
    """Whatever an earlier zip has in common: 5 MiB at least but the last, 5 GiB at most, 10,000."""
    for run in (runs := cut_runs(artifact, [CopySource.of_zip("b", "k", "e", other)])):
        assert 0 < run.length <= 5 << 30
    ends = [run.offset + run.length for run in runs]
    assert [run.offset for run in runs] == [0, *ends[:-1]]
    assert ends[-1] == artifact.size
    assert min((run.length for run in runs[:-1]), default=LEAST_PART) >= LEAST_PART
    assert len(runs) <= 10_000


def test_a_huge_artifact_keeps_the_limits_with_thousands_of_copies() -> None:
    """Every other file of 100 MiB is new, of more than S3 has parts for."""
    old = [entry_at(number, "a" * 64) for number in range(12_000)]
    new = [entry_at(number, "ab"[number % 2] * 64) for number in range(12_000)]
    source = CopySource.of_zip("b", "k", "e", Artifact(FileTree(tuple(old))))
    runs = cut_runs(Artifact(FileTree(tuple(new))), [source])
    assert len(runs) <= 10_000
    assert min(run.length for run in runs[:-1]) >= LEAST_PART
    assert max(run.length for run in runs) <= 5 << 30


def entry_at(number: int, sha256: str) -> Entry:
    """Return a file of 100 MiB whose content lies nowhere."""
    return Entry(f"1/{number:05}", 0o644, 100 << 20, sha256, (0, 0), "/nowhere")


@given(artifacts())
def test_sums_are_those_of_the_chunks(artifact: Artifact) -> None:
    """Nothing is read, for there is nothing to read; together they give the whole's."""
    assert whole_crc32(cut(artifact)) == artifact.crc32(0, artifact.size)


@given(artifacts())
def test_an_artifact_is_always_cut_alike(artifact: Artifact) -> None:
    """A run that goes on with another's upload finds the same parts."""
    assert cut(artifact) == cut(Artifact(FileTree.of(artifact.tree.entries)))


@given(st.lists(st.binary(max_size=50), min_size=1))
def test_the_whole_has_the_sum_of_its_parts(contents: list[bytes]) -> None:
    """As if it had been read from end to end."""
    parts = [Part(1, 0, len(content), zlib.crc32(content)) for content in contents]
    assert whole_crc32(parts) == zlib.crc32(b"".join(contents))


@given(CRCS)
def test_a_sum_is_written_as_s3_writes_it(crc32: int) -> None:
    """Four bytes, the highest first."""
    assert int.from_bytes(base64.b64decode(base64_of(crc32)), "big") == crc32
    assert len(base64_of(crc32)) == 8
