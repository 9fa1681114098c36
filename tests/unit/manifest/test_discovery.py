"""Which manifests a command line means."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from clarifai_build.errors import UsageError
from clarifai_build.manifest.discovery import SKIPPED, find_manifests, is_manifest
from support.trees import write_files

NAME = "clarifai.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Models in folders, and manifests where nobody means them."""
    passed_over = [f"{name}/{NAME}" for name in (*SKIPPED, ".git", ".venv")]
    names = ("b/clarifai.yaml", "a/clarifai.yaml", "a/two.clarifai.yaml", "a/c/clarifai.yaml")
    others = ("a/other.yaml", "a/myclarifai.yaml", "a/clarifai.yaml.bak", "a/clarifai.yml")
    return write_files(tmp_path, dict.fromkeys([*names, *passed_over, *others], b""))


def test_a_folder_stands_for_the_manifests_in_it(folder: Path) -> None:
    """All below it, in an order that is always the same."""
    expected = ["a/clarifai.yaml", "a/two.clarifai.yaml", "a/c/clarifai.yaml", "b/clarifai.yaml"]
    assert find_manifests([folder]) == [folder / name for name in expected]


def test_a_file_is_taken_as_it_is(folder: Path) -> None:
    """Whatever it is called, whether it is there, and once however often it is named."""
    paths = [folder / "b" / NAME, folder / "a" / "other.yaml", folder / "nowhere"]
    assert find_manifests([*paths, folder / "b", paths[0]]) == paths


def test_a_folder_that_is_passed_over_may_be_named(folder: Path) -> None:
    """Only a search leaves it out."""
    assert find_manifests([folder / "dist"]) == [folder / "dist" / NAME]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("?/clarifai.yaml", ["a/clarifai.yaml", "b/clarifai.yaml"]),
        (
            "[ab]",
            ["a/clarifai.yaml", "a/two.clarifai.yaml", "a/c/clarifai.yaml", "b/clarifai.yaml"],
        ),
        ("**/two.*", ["a/two.clarifai.yaml"]),
        ("**/c", ["a/c/clarifai.yaml"]),
    ],
)
def test_wildcards_are_the_tool_s_where_no_shell_was(
    folder: Path, pattern: str, expected: list[str]
) -> None:
    """In quotes, or on Windows; in order."""
    assert find_manifests([folder / pattern]) == [folder / name for name in expected]


def test_a_path_that_is_there_is_no_pattern(folder: Path) -> None:
    """Though it has brackets in its name."""
    write_files(folder, {f"[ab]/{NAME}": b""})
    assert find_manifests([folder / "[ab]"]) == [folder / "[ab]" / NAME]


@pytest.mark.parametrize("path", ["empty", "*.nothing"])
def test_where_there_is_none_that_is_said(folder: Path, path: str) -> None:
    """Though others were found: it is a slip of the pen."""
    (folder / "empty").mkdir()
    with pytest.raises(UsageError) as caught:
        find_manifests([folder / "a", folder / path])
    assert caught.value.problems[0].message == f"no clarifai.yaml at '{folder / path}'"


def test_what_can_not_be_searched_is_no_empty_folder(
    folder: Path, deny: Callable[[Path], None]
) -> None:
    """Or what is passed over could be pruned for it."""
    deny(folder / "b")
    with pytest.raises(UsageError, match="b can't be searched for manifests"):
        find_manifests([folder])


@pytest.fixture
def deny(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Let the system refuse to list a folder, which it does not to the superuser of a test."""
    scandir = os.scandir

    def denied(place: Path) -> None:
        def scan(path: str | Path) -> object:
            if Path(path) == place:
                raise PermissionError(13, "Permission denied", str(path))
            return scandir(path)

        monkeypatch.setattr(os, "scandir", scan)

    return denied


@pytest.mark.parametrize(
    ("name", "is_one"),
    [(NAME, True), (f"a.{NAME}", True), (f"a{NAME}", False), ("clarifai.yaml.", False)],
)
def test_names_of_manifests(name: str, is_one: bool) -> None:
    """The plain one, and those with a name before it."""
    assert is_manifest(name) == is_one
