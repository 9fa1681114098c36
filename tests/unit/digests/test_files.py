"""Digests of files of every size, how many threads take them, and what stops them."""

from __future__ import annotations

import hashlib
import os
import random
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from clarifai_build.digests import files as digests
from clarifai_build.digests.files import CHUNK, Digest
from clarifai_build.errors import Problem, SourceError
from clarifai_build.progress import Event
from clarifai_build.source.content_checks import ContentRules
from clarifai_build.source.source_file import FileStat, SourceFile
from clarifai_build.util.tokens.token_pattern import TokenPattern

MIB = 1 << 20
BAD_DISK = "/proc/self/mem"  # reads of this process's memory at address 0 fail with EIO
NOISE = random.Random(11).randbytes(10 * MIB + 3)


def found(file: Path | str) -> SourceFile:
    """Return a file as a walk finds it."""
    return SourceFile(Path(file).name, str(file), FileStat.of(Path(file).stat()), executable=False)


def file_of(folder: Path, name: str, content: bytes) -> SourceFile:
    """Write a file, and find it."""
    (folder / name).write_bytes(content)
    return found(folder / name)


@pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1, 4 * MIB, 4 * MIB + 1, len(NOISE)])
def test_a_digest_is_that_of_the_content(tmp_path: Path, size: int) -> None:
    """In one block and in several, by one thread and by two."""
    content = NOISE[:size]
    expected = Digest(hashlib.sha256(content).hexdigest(), (zlib.crc32(content),) * bool(size))
    file = file_of(tmp_path, "a", content)
    assert digests.of_files([file]) == ({file.file: expected}, {}, ())
    assert digests.of_bytes(content) == expected


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_chunks_end_where_they_have_to(tmp_path: Path, beyond: int) -> None:
    """A file of a whole chunk has one sum, and no empty one after it."""
    with (tmp_path / "w").open("wb") as file:
        file.truncate(CHUNK + beyond)
        file.write(b"head")
    content = (tmp_path / "w").read_bytes()
    sums = [zlib.crc32(content[at : at + CHUNK]) for at in range(0, len(content), CHUNK)]
    file = found(tmp_path / "w")
    digest = digests.of_files([file]).digests[file.file]
    assert digest == (hashlib.sha256(content).hexdigest(), tuple(sums))
    assert digest == digests.of_bytes(content)
    assert digests.chunks_of_files([file]) == {str(tmp_path / "w"): tuple(sums)}
    assert digests.crc32(len(content), digest.chunks) == zlib.crc32(content)


def test_content_in_memory_has_chunks_too() -> None:
    """Each is of its own bytes alone."""
    chunks = digests.of_bytes(bytes(CHUNK + 1)).chunks
    assert chunks == (zlib.crc32(bytes(CHUNK)), zlib.crc32(b"\0"))


def test_an_empty_file_has_no_chunks(tmp_path: Path) -> None:
    """And is there all the same."""
    file = file_of(tmp_path, "a", b"")
    assert digests.chunks_of_files([file]) == {str(tmp_path / "a"): ()}
    assert digests.crc32(0, ()) == 0


def test_digests_come_in_the_order_of_the_files(tmp_path: Path) -> None:
    """Whichever is read first."""
    contents = [NOISE[: (9 - n) * MIB] for n in range(9)]
    files = [file_of(tmp_path, str(n), content) for n, content in enumerate(contents)]
    taken = digests.of_files(files).digests
    assert list(taken) == [file.file for file in files]
    assert list(taken.values()) == [digests.of_bytes(content) for content in contents]


def test_progress_counts_every_byte(tmp_path: Path) -> None:
    """Of small files and large ones; the last event is the end."""
    files = [file_of(tmp_path, "a", b"abc"), file_of(tmp_path, "b", NOISE)]
    for take in (digests.of_files, digests.chunks_of_files):
        heard: list[Event] = []
        take(files, heard.append)
        assert max(event.done or 0 for event in heard) == 3 + len(NOISE)
        assert {(event.stage, event.total) for event in heard} == {("hash", 3 + len(NOISE))}
        assert len(heard) >= 4


@pytest.mark.parametrize("largest", [5, MIB, MIB + 1])
def test_files_are_looked_into_up_to_a_size(tmp_path: Path, largest: int) -> None:
    """At their whole content; a file without a finding has its digest alone."""
    sizes = {"small": 5, "most": MIB, "large": MIB + 1}
    rules = ContentRules((TokenPattern("the end", ("END",), r"END\Z"),), (), largest)
    contents = {name: NOISE[: size - 3] + b"END" for name, size in sizes.items()}
    files = [file_of(tmp_path, name, content) for name, content in contents.items()]
    files.append(file_of(tmp_path, "other", NOISE[:5]))
    taken = digests.of_files(files, rules=rules)
    found = [name for name, size in sizes.items() if size <= largest]
    assert taken.findings == {str(tmp_path / name): "the end" for name in found}
    assert taken.digests == {
        str(tmp_path / name): digests.of_bytes(content)
        for name, content in {**contents, "other": NOISE[:5]}.items()
    }
    assert taken.problems == ()


def problems_of_files(files: list[SourceFile]) -> tuple[Problem, ...]:
    """Return what is wrong with files whose digests are taken."""
    return digests.of_files(files).problems


def problems_of_chunks(files: list[SourceFile]) -> tuple[Problem, ...]:
    """Return what is wrong with files of which the CRC-32s alone are taken."""
    with pytest.raises(SourceError) as caught:
        digests.chunks_of_files(files)
    return caught.value.problems


Problems = Callable[[list[SourceFile]], tuple[Problem, ...]]


@pytest.mark.parametrize("problems", [problems_of_files, problems_of_chunks])
def test_all_that_fails_is_named(tmp_path: Path, problems: Problems) -> None:
    """Gone, changed, or on a disk that fails; each once, whatever the others are."""
    files = [file_of(tmp_path, name, NOISE) for name in ("fine", "gone", "other")]
    (tmp_path / "gone").unlink()
    os.truncate(tmp_path / "other", 5)
    with Path(BAD_DISK).open("rb", buffering=0):
        bad = found(BAD_DISK)
        told = problems([*files, bad] if problems is problems_of_files else files)
    failed = [(p.code, Path(p.file or "").name) for p in told]
    expected = [("vanished", "gone"), ("changed", "other")]
    if problems is problems_of_files:
        expected.append(("unreadable", "mem"))
    assert sorted(failed) == sorted(expected)


def test_a_file_that_changes_while_it_is_read_is_named(tmp_path: Path) -> None:
    """It was the one that was found when it was opened."""
    file = file_of(tmp_path, "a", NOISE)
    taken = digests.of_files([file], lambda _event: os.utime(tmp_path / "a", ns=(0, 0)))
    assert taken.digests == {}
    (problem,) = taken.problems
    assert problem.code == "changed"
    assert "a changed while it was read" in problem.message


@pytest.mark.parametrize("take", [digests.of_files, digests.chunks_of_files])
def test_what_a_listener_raises_ends_all(tmp_path: Path, take: Callable[..., object]) -> None:
    """As Ctrl-C does; what has not begun by then does not begin."""
    files = []
    for name in "abcdefghij":
        with (tmp_path / name).open("wb") as file:
            file.truncate(64 * MIB)
        files.append(found(tmp_path / name))
    heard: list[Event] = []

    def interrupt(event: Event) -> None:
        heard.append(event)
        if len(heard) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take(files, interrupt)
    assert max(event.done or 0 for event in heard) < 6 * 64 * MIB
