"""Real paths below a known folder: the same as the system's, for fewer looks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.util.real_paths import is_within, path_below, real_in

NAMES = [
    *(".", "..", "", "file", "nowhere", "inner", "inner/", "inner/file", "./file", "inner/../file"),
    *("to-file", "to-folder", "to-folder/file", "out", "out/other", "circle", "circle/file"),
    *("broken", "nowhere/file", "file/below", "/", "/etc/../tmp", "inner//file", " ", "a" * 300),
]


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A folder with files, folders, and links of each kind."""
    top = tmp_path.resolve() / "top"
    (top / "inner").mkdir(parents=True)
    (top / "file").write_text("")
    (top / "inner" / "file").write_text("")
    (top.parent / "beside").mkdir()
    (top.parent / "beside" / "other").write_text("")
    links = {"to-file": "inner/file", "to-folder": "inner", "out": "../beside", "broken": "gone"}
    for name, target in {**links, "circle": "circle"}.items():
        (top / name).symlink_to(target)
    return str(top)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_leads_where_the_system_says(folder: str, name: str) -> None:
    """Whatever lies there, or does not, the path is the one of `os.path.realpath`."""
    assert real_in(folder, name) == os.path.realpath(Path(folder, name))
    assert real_in(folder, f"{folder}/{name}") == os.path.realpath(f"{folder}/{name}")


def test_a_name_in_the_root() -> None:
    """The one folder whose path ends in a separator."""
    assert real_in("/", "proc") == "/proc"
    assert is_within("/", "/proc")
    assert path_below("/", "/proc/self") == "proc/self"


def test_a_null_character_leads_nowhere(folder: str) -> None:
    """It is an error, as it is to the system."""
    with pytest.raises(ValueError, match="null"):
        real_in(folder, "a\0b")


@pytest.mark.parametrize(
    ("place", "expected"),
    [("/a/b", True), ("/a/b/c", True), ("/a/bc", False), ("/a", False), ("/c/a/b", False)],
)
def test_what_lies_in_a_folder(place: str, expected: bool) -> None:
    """A name that begins with the folder's is another's."""
    assert is_within("/a/b", place) is expected


PARTS = st.lists(st.sampled_from(["a", "b", "ab", ".hidden", "c d"]), max_size=4)


@given(PARTS, PARTS)
def test_paths_from_a_folder(above: list[str], below: list[str]) -> None:
    """Inside or outside, it is what the system's `relpath` says."""
    folder, place = "/" + "/".join(above), "/" + "/".join(below)
    expected = os.path.relpath(place, folder)
    assert path_below(folder, place) == expected
    assert path_below("/" + "/".join(above), os.path.normpath(f"{folder}/{place}")) == (
        os.path.relpath(f"{folder}/{place}", folder)
    )
