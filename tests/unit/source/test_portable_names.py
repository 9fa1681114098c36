"""Names that can stand side by side on every system; those that can't are named, each once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.repository_layout import artifact_name
from clarifai_build.source.portable_names import name_problems

PATH = st.lists(st.text("aAbB", min_size=1, max_size=2), min_size=1, max_size=3).map("/".join)


def told(*paths: str) -> list[tuple[str, str | None]]:
    """Return code and file of what is wrong."""
    return [(problem.code, problem.file) for problem in name_problems(paths)]


@given(st.sets(PATH, max_size=6))
def test_names_that_are_one_without_case_are_found(paths: set[str]) -> None:
    """Of files and of folders; a name that is both overlaps."""
    parts = [path.split("/") for path in paths]
    folders = {"/".join(names[:count]) for names in parts for count in range(1, len(names))}
    every = [*sorted(paths), *sorted(folders)]
    collides = len({name.lower() for name in every}) < len(every)
    assert bool(name_problems(paths)) == collides
    assert {p.file for p in name_problems(paths) if p.code == "overlap"} <= paths & folders


def test_problems_of_names() -> None:
    """Each with the names that it is about."""
    assert told("a", "b/c", "b/d") == []
    assert told("a", "A") == [("file-collision", "a")]
    assert told("d/x", "D/y") == [("file-collision", "d")]
    assert told("a", "a/b") == [("overlap", "a")]
    assert told("A", "a/b") == [("file-collision", "a")]
    (problem,) = name_problems(["Data", "data"])
    assert problem.message == "Data and data are one name on macOS and Windows"


@pytest.mark.parametrize("name", ["é", "a\tb", "a\\b", "a\x7f", "\u202e"])
def test_what_only_some_systems_take_is_refused(name: str) -> None:
    """In a file's name or a folder's; the others are let through."""
    assert told("fine", f"{name}/x", name + ".txt") == [
        ("file-name", path) for path in sorted([f"{name}/x", name + ".txt"])
    ]
    assert told("a b", "a-b", "a!b", "~a") == []


def test_the_zip_is_called_after_the_model() -> None:
    """The old tools read id and type from it."""
    assert artifact_name("m", "text-to-text", "triton") == "m_text-to-text.zip"
