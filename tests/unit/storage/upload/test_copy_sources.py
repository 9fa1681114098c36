"""Which ranges of a new zip lie at the store already, and how they become parts that S3 takes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import FileTree
from clarifai_build.storage.upload.copy_sources import (
    CopySource,
    Extent,
    Reuse,
    Run,
    covers,
    extents_of,
    plan_runs,
    reuse_of,
)
from support.trees import artifact_of, without_content

LEAST = 100
NAMES = ["1/a.bin", "1/b.py", "1/c.bin", "config.pbtxt", "z"]
CONTENTS = st.sampled_from([bytes([n]) * length for n in b"xyz" for length in (0, 3, 90, 250, 900)])
FILES = st.dictionaries(st.sampled_from(NAMES), CONTENTS, min_size=1)


def source_of(artifact: Artifact, key: str = "old.zip") -> CopySource:
    """Return a zip that was published."""
    return CopySource.of_zip("bucket", key, "etag", artifact)


def copied(artifact: Artifact, sources: Mapping[str, bytes], runs: list[Run]) -> bytes:
    """Put a zip together as a store would, from what is sent and what is copied."""
    return b"".join(
        sources[run.source.key][run.start : run.start + run.length]
        if run.source
        else artifact.read(run.offset, run.length)
        for run in runs
    )


@given(FILES, st.lists(FILES, max_size=3), st.lists(CONTENTS.filter(len), max_size=2))
def test_parts_make_up_the_zip(
    new: dict[str, bytes], zips: list[dict[str, bytes]], files: list[bytes]
) -> None:
    """In order, without gaps, with the bytes of the zip, each but the last of the least length."""
    artifact, stored = artifact_of(new), {}
    sources = []
    for number, old in enumerate(map(artifact_of, zips)):
        sources.append(source_of(old, f"zip {number}"))
        stored[f"zip {number}"] = old.read(0, old.size)
    for number, content in enumerate(files):
        (entry,) = artifact_of({"w": content}).tree.entries
        key = f"file {number}"
        sources.append(CopySource.of_file("bucket", key, "etag", entry.sha256, len(content)))
        stored[key] = content
    runs = plan_runs(artifact, sources, LEAST)
    assert copied(artifact, stored, runs) == artifact.read(0, artifact.size)
    ends = [run.offset + run.length for run in runs]
    assert [run.offset for run in runs] == [0, *ends[:-1]]
    assert min((run.length for run in runs[:-1]), default=LEAST) >= LEAST
    assert min(run.length for run in runs) > 0
    assert not any(a.source is b.source is None for a, b in pairwise(runs))


@given(FILES, st.lists(FILES, min_size=1, max_size=3), st.integers(1, 4))
def test_runs_are_as_few_as_wanted(
    new: dict[str, bytes], zips: list[dict[str, bytes]], most: int
) -> None:
    """The shorter ones are sent with their neighbours, and the zip is covered all the same."""
    artifact = artifact_of(new)
    sources = [source_of(artifact_of(old)) for old in zips]
    runs = plan_runs(artifact, sources, LEAST, most)
    assert len(runs) <= most
    assert sum(run.length for run in runs) == artifact.size


def test_a_changed_line_costs_the_least_part_and_the_end() -> None:
    """What is new is sent with the least of what follows; the rest of the weight is copied."""
    weight = os.urandom(5000)
    old = artifact_of({"1/inference.py": b"old", "1/w.bin": weight, "config.pbtxt": b"c"})
    new = artifact_of({"1/inference.py": b"new!", "1/w.bin": weight, "config.pbtxt": b"c"})
    first, middle, last = plan_runs(new, [source_of(old)], LEAST)
    assert (first.source, first.length) == (None, LEAST)
    assert middle.source == source_of(old)
    assert middle.start == middle.offset - 1
    assert last.source is None
    assert last.length < 300


def test_a_new_shard_in_the_middle_is_all_that_is_sent() -> None:
    """What stands before and behind it is copied whole."""
    shards = {f"1/{n}.bin": os.urandom(1000) for n in range(5)}
    old, new = artifact_of(shards), artifact_of({**shards, "1/2.bin": os.urandom(1000)})
    lengths = [(run.source is not None, run.length) for run in plan_runs(new, [source_of(old)], 10)]
    copies = [length for is_copy, length in lengths if is_copy]
    assert [is_copy for is_copy, _ in lengths] == [True, False, True, False]
    assert sum(copies) > 4 * 1000
    assert lengths[1][1] < 1000 + 60


def test_a_verified_weight_is_copied_from_where_it_lies() -> None:
    """Its own object is a source, from its first byte but for what the first part takes along."""
    weight = os.urandom(1000)
    new = artifact_of({"1/a.py": b"a", "1/w.bin": weight})
    (entry,) = (one for one in new.tree.entries if one.path == "1/w.bin")
    source = CopySource.of_file("weights", "w.bin", "etag", entry.sha256, 1000)
    sent, run, _ = plan_runs(new, [source], LEAST)
    content = next(one for one in extents_of(new) if one.identity == entry.sha256)
    assert (run.source, run.start) == (source, sent.length - content.offset)
    assert run.offset + run.length == content.offset + 1000


def test_the_longest_run_is_taken() -> None:
    """Of two earlier zips, that which has more of what follows."""
    files = {"1/a.bin": b"a" * 500, "1/b.bin": b"b" * 500}
    new = artifact_of({**files, "1/c": b"new"})
    shorter, longer = artifact_of({**files, "1/b.bin": b""}), artifact_of(files)
    runs = plan_runs(new, [source_of(shorter, "shorter"), source_of(longer, "longer")], LEAST)
    assert [run.source and run.source.key for run in runs] == ["longer", None]


def test_the_same_zip_is_copied_whole() -> None:
    """Under another name, for example: the model was renamed, and nothing is sent."""
    artifact = artifact_of({"1/w.bin": b"w" * 500})
    assert plan_runs(artifact, [source_of(artifact)], LEAST) == [
        Run(0, artifact.size, source_of(artifact), 0)
    ]


def test_how_much_is_there_is_known_before_the_upload() -> None:
    """Of what travels in one request, nothing is copied."""
    weight = os.urandom(17 << 20)
    artifact = artifact_of({"1/w.bin": weight})
    small = artifact_of({"1/w.bin": weight[: 1 << 20]})
    assert reuse_of(artifact, [source_of(artifact)]) == Reuse(artifact.size, artifact.size)
    assert reuse_of(artifact, []) == Reuse(artifact.size, 0)
    assert reuse_of(artifact, []).to_send == artifact.size
    assert reuse_of(small, [source_of(small)]) == Reuse(small.size, 0)


def test_a_source_of_other_lengths_is_not_believed() -> None:
    """A record that gives a content another size than the zip's own digest does names no run."""
    artifact = artifact_of({"1/w.bin": b"w" * 500})
    lie = [one._replace(length=one.length + 1) for one in extents_of(artifact)]
    source = CopySource("bucket", "key", "etag", tuple(lie))
    assert plan_runs(artifact, [source], LEAST) == [Run(0, artifact.size)]


def test_what_an_artifact_lacks_may_all_be_there() -> None:
    """By SHA-256 and size; an empty file lies nowhere, and needs not to."""
    whole = artifact_of({"1/w.bin": b"w" * 500, "1/v.bin": b"v" * 500, "1/empty": b""})
    both, one = source_of(whole), source_of(artifact_of({"1/w.bin": b"w" * 500}))
    assert covers(whole, [])
    assert covers(without_content(whole), [both])
    assert covers(without_content(whole, "1/w.bin", "1/empty"), [one])
    assert not covers(without_content(whole), [one])
    lie = [extent._replace(length=extent.length + 1) for extent in both.extents]
    assert not covers(without_content(whole), [both._replace(extents=tuple(lie))])


def test_nothing_is_known_of_a_zip_without_sums() -> None:
    """It can't be laid out: neither is anything said to be there, nor is it an error."""
    whole = artifact_of({"1/w.bin": bytes(17 << 20)})
    (entry,) = without_content(whole).tree.entries
    unknown = Artifact(FileTree((entry._replace(chunks=()),)))
    assert not covers(unknown, [source_of(whole)])
    assert reuse_of(unknown, [source_of(whole)]) == Reuse(whole.size, 0)


def test_without_sources_all_is_sent() -> None:
    """In one run, as it always was."""
    artifact = artifact_of({"1/w.bin": b"w" * 500})
    assert plan_runs(artifact, [], LEAST) == [Run(0, artifact.size)]


def test_nothing_is_known_of_compressed_files() -> None:
    """What lies in such a zip is not what the SHA-256 of a file is taken of."""
    plain = artifact_of({"1/w.bin": b"w" * 500})
    packed = Artifact(plain.tree, (), "some encoder")
    assert extents_of(packed) == ()
    assert extents_of(plain)[1] == Extent(
        extents_of(plain)[0].length, 500, plain.tree.entries[0].sha256
    )


def test_thousands_of_files_are_compared_in_one_pass() -> None:
    """A file changed in the middle: two long runs are found, whatever there is to compare."""
    files = {f"1/{n:05}": b"%d" % n for n in range(20_000)}
    old, new = artifact_of(files), artifact_of({**files, "1/10000": b"changed"})
    runs = plan_runs(new, [source_of(old)], LEAST)
    assert [run.source is not None for run in runs] == [True, False, True, False]
