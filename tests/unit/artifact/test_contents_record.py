"""The record of what a zip holds: it is that of one artifact, or it is refused."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.artifact import contents_record
from clarifai_build.artifact.absent import Absent
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.contents_record import format_record, parse_record
from clarifai_build.artifact.tree import FileTree
from clarifai_build.errors import ArtifactError, SourceError
from support.trees import artifact_of, entry_of

FILES = {"1/inference.py": b"code\n", "1/w.bin": b"w" * 300, "1/empty": b"", "config.pbtxt": b"c"}
ARTIFACT = artifact_of(FILES)

names = st.from_regex(r"[a-z]{1,6}", fullmatch=True)


class Stored(NamedTuple):
    """What a store says of the zip."""

    size: int
    etag: str


def record_of(artifact: Artifact) -> bytes:
    """Return the record of an artifact that a store has as it is."""
    return format_record(artifact, Stored(artifact.size, "abc-3"))


def changed(change: Callable[[Any], object]) -> bytes:
    """Return a record in which something was changed."""
    value = json.loads(record_of(ARTIFACT))
    change(value)
    return json.dumps(value).encode()


@given(st.dictionaries(names, st.binary(max_size=50), max_size=5))
def test_a_record_gives_the_tree_and_the_layout_of_the_zip(files: dict[str, bytes]) -> None:
    """Digest, offsets, headers and CRC-32s are those of the zip; no content is needed for them."""
    artifact = artifact_of(files)
    record = parse_record(record_of(artifact), artifact.digest)
    again = Artifact(record.tree)
    assert again.digest == artifact.digest
    assert [(s.offset, s.length, s.chunks) for s in again.segments] == [
        (s.offset, s.length, s.chunks) for s in artifact.segments
    ]
    whole = artifact.read(0, artifact.size)
    assert record[1:] == (len(whole), f"{zlib.crc32(whole):08x}", "abc-3", None)
    assert again.crc32(0, again.size) == zlib.crc32(whole)


def test_what_is_in_a_record_can_not_be_read() -> None:
    """The content is in the bucket: whoever needs it is told which file that is."""
    again = Artifact(parse_record(record_of(ARTIFACT), ARTIFACT.digest).tree)
    assert [entry.path for entry in again.missing] == sorted(FILES)
    with pytest.raises(SourceError) as raised:
        again.read(0, again.size)
    (problem,) = raised.value.problems
    assert (problem.code, problem.file) == ("content-absent", "1/inference.py")


def test_a_record_is_as_short_as_json_can_be() -> None:
    """It is read before every plan on a fresh machine."""
    body = record_of(ARTIFACT)
    assert b" " not in body
    assert b"\n" not in body
    assert list(json.loads(body)) == [
        "format",
        "artifact_digest",
        "size",
        "crc32",
        "etag",
        "encoder",
        "files",
    ]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{}", "it is not such a record"),
        (b"{", "line 1"),
        (changed(lambda v: v.update(format="x" * 99)), f"it has format {'x' * 20}"),
        (changed(lambda v: v["files"][0].pop()), "it is not such a record"),
        (changed(lambda v: v["files"][-1].__setitem__(2, -1)), "a size is not a number of bytes"),
    ],
)
def test_what_is_wrong_with_it_is_said(body: bytes, why: str) -> None:
    """In words, and no longer than they need to be."""
    assert why in refused(body)
    assert len(refused(body)) < 200


def test_a_record_of_absent_content_is_the_same() -> None:
    """Who knows the sums need not have the content to write it."""
    again = Artifact(parse_record(record_of(ARTIFACT), ARTIFACT.digest).tree)
    assert record_of(again) == record_of(ARTIFACT)


def test_modes_and_encoders_are_part_of_the_identity() -> None:
    """A deflated zip is known by what packed it, and a script by its mode."""
    entry = entry_of("1/run.sh", b"#!", 0o755)
    packed = Artifact(FileTree((entry,)), encoder="deflate 1")
    record = parse_record(record_of(packed), packed.digest)
    assert (record.encoder, record.tree.entries[0].mode) == ("deflate 1", 0o755)
    with pytest.raises(ArtifactError):
        parse_record(record_of(packed), Artifact(FileTree((entry,))).digest)


@pytest.mark.parametrize("length", [0, 1, 50, 200, len(record_of(ARTIFACT)) - 1])
def test_a_truncated_record_is_refused(length: int) -> None:
    """Wherever it breaks off."""
    refused(record_of(ARTIFACT)[:length])


def test_a_record_of_another_artifact_is_refused() -> None:
    """That of another model, or one whose files were changed: its digest says so."""
    other = artifact_of({**FILES, "1/w.bin": b"x"})
    assert "its files are those of" in refused(record_of(other))
    assert "its files are those of" in refused(changed(lambda v: v["files"].pop()))


def test_a_record_that_has_no_end_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is measured first."""
    monkeypatch.setattr(contents_record, "MAX_BYTES", 1 << 20)
    assert "larger than 1 MiB" in refused(record_of(ARTIFACT) + b" " * (1 << 20))


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.update(format=2),
        lambda v: v.pop("format"),
        lambda v: v.update(size=-1),
        lambda v: v.update(size="9"),
        lambda v: v.update(crc32="zz"),
        lambda v: v.update(etag=None),
        lambda v: v.update(etag="a\r\nx-amz-acl: public-read"),
        lambda v: v.update(encoder=1),
        lambda v: v.update(files={"a": 1}),
        lambda v: v.update(files=None),
        lambda v: v.update(files=["abcde"]),
        lambda v: v["files"][0].pop(),
        lambda v: v["files"][0].__setitem__(0, 1),
        lambda v: v["files"][0].__setitem__(0, "a\nb"),
        lambda v: v["files"][0].__setitem__(1, 0o644 + 0.0),
        lambda v: v["files"][0].__setitem__(1, 0o777),
        lambda v: v["files"][0].__setitem__(2, 1e999),
        lambda v: v["files"][0].__setitem__(3, "ab"),
        lambda v: v["files"][-1].__setitem__(4, []),
        lambda v: v["files"].append(v["files"][0]),
    ],
)
def test_what_is_no_record_is_refused(change: Callable[[Any], object]) -> None:
    """Every part has its type and its form: anyone may have written it."""
    assert "can't be used" in refused(changed(change))


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"a"', b"[" * 100_000, b"\xff"])
def test_other_documents_are_refused(body: bytes) -> None:
    """Whatever lies there, deep nesting included."""
    refused(body)


def refused(body: bytes) -> str:
    """Return what is said of a record that is not that of the artifact."""
    with pytest.raises(ArtifactError) as raised:
        parse_record(body, ARTIFACT.digest)
    (problem,) = raised.value.problems
    assert problem.code == "contents-unusable"
    return problem.message


def test_one_name_is_not_two_files() -> None:
    """A line end in a name would make it two lines of the tree, of the same digest."""
    first, second = entry_of("a", b"1"), entry_of("b", b"2")
    tree = FileTree((first, second))
    joined = first._replace(path=f"a\n0644 {second.size} {second.sha256} b")
    assert FileTree((joined,)).digest == tree.digest
    with pytest.raises(ArtifactError):
        parse_record(record_of(Artifact(FileTree((joined,)))), tree.digest)


def test_sums_that_are_not_known_can_not_be_recorded() -> None:
    """The size of the zip follows from sizes alone, its headers do not."""
    whole = ARTIFACT.tree.entries[1]
    problem = parse_record(record_of(ARTIFACT), ARTIFACT.digest).tree.entries[1].source
    assert isinstance(problem, Absent)
    unknown = Artifact(FileTree((whole._replace(chunks=(), source=problem),)))
    assert unknown.size == Artifact(FileTree((whole,))).size
    assert not unknown.has_sums
    with pytest.raises(SourceError):
        record_of(unknown)
