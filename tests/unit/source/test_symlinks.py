"""Where a link leads, and what is wrong with it, in the words that are shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clarifai_build.source.symlinks import Link
from support.trees import write_files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with files, and one beside it whose name begins alike."""
    write_files(tmp_path, {"root/a/b/file": b"1", "root/file": b"12", "root-too/x": b""})
    os.mkfifo(tmp_path / "root" / "pipe")
    return tmp_path / "root"


def link(root: Path, target: str) -> Link:
    """Make a link in the folder, and look where it leads."""
    (root / "link").symlink_to(target)
    return Link.of(str(root / "link"), str(root))


@pytest.mark.parametrize(
    ("target", "place", "is_folder", "places"),
    [
        ("file", "file", False, [("file", False)]),
        ("a/b/file", "a/b/file", False, [("a", True), ("a/b", True), ("a/b/file", False)]),
        ("a/b", "a/b", True, [("a", True), ("a/b", True)]),
        (".", "", True, []),
        ("../root-too/x", None, False, []),
        ("..", None, True, []),
        ("nowhere", "nowhere", False, []),
    ],
)
def test_places(
    root: Path, target: str, place: str | None, is_folder: bool, places: list[tuple[str, bool]]
) -> None:
    """Below the folder, each part of the way with it; nothing outside."""
    found = link(root, target)
    assert (found.place, found.is_folder, found.places) == (place, is_folder, places)
    assert found.target == os.path.realpath(root / target)


@pytest.mark.parametrize(
    ("target", "trouble"),
    [
        ("file", None),
        ("a/b", None),
        ("nowhere", "to {root}/nowhere, which is not there"),
        ("file/x", "to {root}/file/x, which is not there"),
        ("link", "that leads in a circle"),
        ("../root-too", "that leaves the folder, to {root}-too"),
        ("pipe", "to {root}/pipe, neither a file nor a folder"),
        ("x" * 300, "to {root}/" + "x" * 300 + ", which can't be reached: File name too long"),
    ],
)
def test_troubles(root: Path, target: str, trouble: str | None) -> None:
    """None where it can be followed."""
    expected = trouble and trouble.format(root=root)
    assert link(root, target).trouble([""]) == expected


@pytest.mark.parametrize(
    ("target", "way", "circle"),
    [
        (".", [""], True),
        ("a", ["", "a/"], True),
        ("a", ["", "a/b/"], True),
        ("a", ["", "ab/"], False),
        ("a/b", ["", "a/"], False),
        ("file", ["", "file/"], False),
    ],
)
def test_a_folder_does_not_lie_in_itself(
    root: Path, target: str, way: list[str], circle: bool
) -> None:
    """By the folders that the link lies in, links on the way included."""
    assert link(root, target).trouble(way) == ("to a folder that it lies in" if circle else None)


def test_everything_lies_in_the_root_of_the_system() -> None:
    """Whose name ends with the separator already."""
    assert Link.of("/dev/null", "/").place == "dev/null"
    assert Link.of("/", "/").place == ""
