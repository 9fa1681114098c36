"""A walk over a folder that changes, or on a system that lists no open folders."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from clarifai_build.source.ignoring.ignore import Rules
from clarifai_build.source.walk import WalkResult, walk
from support.trees import write_files


class Meanwhile(Rules):
    """Rules that let all in, and something happen when a path is asked for."""

    happen: Callable[[str], object]

    def reason(self, path: str, name: str, folder: bool) -> str | None:
        self.happen(path)
        return None

    def reason_of_link(
        self, path: str, name: str, folder: bool, places: Iterable[tuple[str, bool]]
    ) -> str | None:
        return self.reason(path, name, folder)


def walked(folder: Path, happen: Callable[[str], object]) -> WalkResult:
    """Walk a folder while something happens to it."""
    rules = Meanwhile({}, {}, None)
    rules.happen = happen  # a NamedTuple's subclass has room for it
    return walk(folder, rules)


def told(found: WalkResult) -> list[tuple[str, str | None, str]]:
    """Return code, file and message of what is wrong."""
    return sorted((p.code, p.file, p.message.partition(" ")[2]) for p in found.problems)


def test_a_file_that_vanishes_is_named(tmp_path: Path) -> None:
    """Between its listing and the look at it; the others are found."""
    write_files(tmp_path, {"sub/a": b"", "sub/b": b""})
    found = walked(tmp_path, lambda path: path == "sub/a" and (tmp_path / path).unlink())
    assert told(found) == [("vanished", "sub/a", "vanished while the folder was read")]
    assert [file.path for file in found.files] == ["sub/b"]


def test_a_file_that_vanishes_once_it_was_found_is_no_problem_of_the_walk(tmp_path: Path) -> None:
    """Who reads it will say so; its path is not too long."""
    write_files(tmp_path, {"a": b"", "b": b""})
    seen: list[str] = []

    def remove_the_first(path: str) -> None:
        seen.append(path)
        if len(seen) == 2:
            (tmp_path / seen[0]).unlink()

    found = walked(tmp_path, remove_the_first)
    assert told(found) == []
    assert sorted(file.path for file in found.files) == ["a", "b"]


def test_a_folder_that_is_moved_is_read_to_its_end(tmp_path: Path) -> None:
    """It is open: its own path is looked up once."""
    write_files(tmp_path, {"sub/a": b""})
    sub = tmp_path / "sub"
    found = walked(tmp_path, lambda path: path == "sub/a" and sub.rename(tmp_path / "moved"))
    assert told(found) == []
    assert [file.path for file in found.files] == ["sub/a"]


def test_a_folder_that_vanishes_is_named(tmp_path: Path) -> None:
    """Between its listing and its own."""
    write_files(tmp_path, {"sub/a": b"", "b": b""})
    found = walked(tmp_path, lambda path: path == "sub" and shutil.rmtree(tmp_path / path))
    assert told(found) == [("vanished", "sub", "vanished before it was read")]
    assert [file.path for file in found.files] == ["b"]


def test_a_folder_that_becomes_a_file_is_named(tmp_path: Path) -> None:
    """With what the system says."""
    write_files(tmp_path, {"sub/a": b""})

    def replace(path: str) -> None:
        shutil.rmtree(tmp_path / path)
        (tmp_path / path).touch()

    found = walked(tmp_path, replace)
    assert told(found) == [("unreadable", "sub", "can't be read: Not a directory")]


def test_a_root_that_is_not_there_is_named_whole(tmp_path: Path) -> None:
    """It has no path below itself."""
    found = walk(tmp_path / "nowhere", Rules({}, {}, None))
    assert [(p.code, p.file) for p in found.problems] == [("vanished", str(tmp_path / "nowhere"))]
    assert ".clarifaiignore" in (found.problems[0].hint or "")


def test_folders_are_listed_by_path_where_they_have_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows."""
    write_files(tmp_path, {"a": b"12", "sub/b": b"", "sub/c/d": b""})
    (tmp_path / "a").chmod(0o755)
    (tmp_path / "link").symlink_to("sub")
    rules = Rules({}, {}, None)
    expected = walk(tmp_path, rules)
    monkeypatch.setattr(os, "supports_fd", frozenset())
    found = walk(tmp_path, rules)
    assert sorted(found.files) == sorted(expected.files)
    assert [file.path for file in sorted(found.files)] == [
        *("a", "link/b", "link/c/d", "sub/b", "sub/c/d")
    ]
    assert [file.executable for file in sorted(found.files)] == [True] + [False] * 4
    assert found.problems == []


def test_an_open_folder_is_closed(tmp_path: Path) -> None:
    """Each of them, whatever became of it."""
    write_files(tmp_path, {f"{n}/x": b"" for n in range(9)})
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - names
    assert len(walk(tmp_path, Rules({}, {}, None)).files) == 9
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208 - names
