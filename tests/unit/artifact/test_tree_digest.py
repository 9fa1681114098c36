"""The tree: what its digest depends on, and what a withdrawn exemption has scanned again."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.artifact.layout import gather
from clarifai_build.artifact.tree import FORMAT, FileTree, make_tree
from clarifai_build.digests.cache import DigestCache
from clarifai_build.errors import SourceError
from clarifai_build.progress import Event
from support.trees import GENERATED, entry_of, manifest_of, weight_of, write_files

TOKEN = b"hf_" + b"aB" * 17


@pytest.fixture
def settled(tmp_path: Path) -> Path:
    """A folder with two tokens, old enough for its digests to be kept."""
    write_files(tmp_path / "code", {"a.py": TOKEN, "b.py": TOKEN, "c.py": b"pass"})
    time.sleep(0.15)  # ctime can't be set
    return tmp_path / "code"


def refused(folder: Path, cache: DigestCache, *allowed: str) -> list[tuple[str, str | None]]:
    """Lay a folder out; return code and name of each problem."""
    try:
        make_tree(GENERATED, manifest_of(folder, allow_secrets=allowed), cache=cache)
    except SourceError as error:
        return sorted((p.code, Path(p.file or "").name) for p in error.problems)
    return []


def test_a_withdrawn_exemption_has_the_file_scanned_again(settled: Path, tmp_path: Path) -> None:
    """Though its digest is known from when it was allowed."""
    cache = DigestCache(tmp_path / "digests")
    assert refused(settled, cache, "a.py", "b.py") == []
    assert refused(settled, cache, "a.py") == [("secret", "b.py")]
    assert refused(settled, cache, "b.py") == [("secret", "a.py")]
    assert refused(settled, cache) == [("secret", "a.py"), ("secret", "b.py")]
    assert refused(settled, cache, "a.py", "b.py") == []


def test_what_is_refused_is_refused_again(settled: Path, tmp_path: Path) -> None:
    """Though the file is not read again: what was found in it is kept with its digest."""
    cache = DigestCache(tmp_path / "digests")
    for _ in range(2):
        assert refused(settled, cache, "a.py") == [("secret", "b.py")]
    manifest = manifest_of(settled)
    assert cache.plan(str(manifest.path), gather(GENERATED, manifest).found).is_done


def test_manifests_of_one_folder_keep_their_own_digests(settled: Path, tmp_path: Path) -> None:
    """Each allows what it allows, and what one read is not known of the other."""
    cache = DigestCache(tmp_path / "digests")
    one = manifest_of(settled, allow_secrets=("a.py", "b.py"))
    other = dataclasses.replace(one, path=settled / "other.clarifai.yaml")
    make_tree(GENERATED, one, cache=cache)
    found = gather(GENERATED, one).found
    assert cache.plan(str(one.path), found).is_done
    assert not cache.plan(str(other.path), found).is_done


def test_an_exemption_is_for_one_path(tmp_path: Path) -> None:
    """Not for files of the same name in other folders."""
    write_files(tmp_path, {"a.py": TOKEN, "sub/a.py": TOKEN})
    with pytest.raises(SourceError) as caught:
        make_tree({}, manifest_of(tmp_path, allow_secrets=("a.py",)))
    assert [p.file for p in caught.value.problems] == [str(tmp_path / "sub" / "a.py")]


def test_a_weight_is_scanned_and_may_be_allowed(tmp_path: Path) -> None:
    """Under the path where it is laid; a pointer is none that could be allowed."""
    write_files(tmp_path, {"store": TOKEN})
    weights = (weight_of("w.txt", "store", TOKEN),)
    with pytest.raises(SourceError) as caught:
        make_tree({}, manifest_of(tmp_path, weights))
    assert [(p.code, p.file) for p in caught.value.problems] == [
        ("secret", str(tmp_path / "store"))
    ]
    allowed = make_tree({}, manifest_of(tmp_path, weights, allow_secrets=("w.txt",)))
    assert [entry.path for entry in allowed.entries] == ["1/w.txt"]


def test_progress_ends_with_the_number_of_files(tmp_path: Path) -> None:
    """Generated ones count."""
    write_files(tmp_path, {"a.py": b"pass"})
    heard: list[Event] = []
    make_tree(GENERATED, manifest_of(tmp_path), heard.append)
    told = [(event.state, event.message) for event in heard if event.stage == "tree"]
    assert [state for state, _ in told] == ["started", "done"]
    assert told[-1][1] == "3 files"


def test_generated_files_are_no_programs(tmp_path: Path) -> None:
    """Whatever they hold."""
    tree = make_tree({"run.sh": b"#!/bin/sh\n"}, manifest_of(tmp_path))
    assert [(entry.path, entry.mode) for entry in tree.entries] == [("run.sh", 0o644)]


def line(path: str, content: bytes, mode: str) -> str:
    """Return the line of a file as docs/reference/artifact.md defines it."""
    return f"{mode} {len(content)} {hashlib.sha256(content).hexdigest()} {path}\n"


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,3}", fullmatch=True),
        st.tuples(st.binary(max_size=9), st.booleans()),
        max_size=5,
    )
)
def test_the_digest_is_that_of_the_lines(files: dict[str, tuple[bytes, bool]]) -> None:
    """One a file in order of the paths, with mode, size, SHA-256 and path; the format is first."""
    tree = FileTree.of(
        entry_of(path, content, 0o755 if program else 0o644)
        for path, (content, program) in files.items()
    )
    lines = [
        line(path, content, "0755" if program else "0644")
        for path, (content, program) in sorted(files.items())
    ]
    assert tree.digest == hashlib.sha256("".join([f"{FORMAT}\n", *lines]).encode()).hexdigest()
