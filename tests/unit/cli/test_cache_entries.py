"""What is cached on this machine: where, how large, how long unused, and what pruning leaves."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from clarifai_build.cli import cache_entries
from clarifai_build.cli.cache_entries import CacheEntry
from clarifai_build.errors import ArtifactError, UsageError
from clarifai_build.util import cache_dir
from clarifai_build.weights import part_file

DAY = 24 * 3600


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An empty cache."""
    return {"XDG_CACHE_HOME": str(tmp_path)}


def keep(folder: Path, name: str, size: int = 1, unused: int = 0) -> Path:
    """Put a file into a folder of the cache."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(bytes(size))
    then = time.time() - unused - 5
    os.utime(folder / name, (then, then))
    return folder / name


def paths(found: list[CacheEntry]) -> list[Path]:
    """Return where files lie."""
    return [file.path for file in found]


def test_every_kind_is_found_largest_first(environ: dict[str, str]) -> None:
    """Digests of any format, weights, compressed and rendered files; nothing else."""
    top = cache_dir.cache_folder(environ)
    expected = [
        keep(cache_dir.renders_folder(environ) / "deep", "r", 40),
        keep(cache_dir.deflated_folder(environ), "d", 30),
        keep(cache_dir.weights_folder(environ), "w", 20),
        keep(top, "digests-2.sqlite", 10),
    ]
    keep(top, "other", 99)
    keep(top / "elsewhere", "x", 99)
    assert paths(cache_entries.find(environ)) == expected
    assert [file.size for file in cache_entries.find(environ)] == [40, 30, 20, 10]


def test_an_empty_cache_has_nothing(environ: dict[str, str]) -> None:
    """Its folder need not be there."""
    assert cache_entries.find(environ) == []
    assert cache_entries.prune(0, environ) == []


def test_the_last_use_counts(environ: dict[str, str]) -> None:
    """Written, read, or marked as used; never less than 0."""
    folder = cache_dir.weights_folder(environ)
    old = keep(folder, "old", 3, unused=5 * DAY)
    marked = keep(folder, "marked", 2, unused=5 * DAY)
    cache_dir.mark_used(marked)
    ahead = keep(folder, "ahead", 1, unused=-5 * DAY)
    found = {file.path: file.unused for file in cache_entries.find(environ)}
    assert set(found) == {old, marked, ahead}
    assert 5 * DAY <= found[old] < 5 * DAY + 600
    assert found[marked] < 600
    assert found[ahead] == 0


def test_only_what_was_long_unused_goes(environ: dict[str, str]) -> None:
    """With what lies beside it; that goes as any file where it is alone."""
    folder = cache_dir.weights_folder(environ)
    old, new = keep(folder, "old", unused=3 * DAY), keep(folder, "new", unused=DAY)
    os.utime(keep(folder, "old.used", 0), (1, 1))
    keep(folder, "old.source", 9, unused=9 * DAY)
    alone = keep(folder, "alone.used", 0, unused=3 * DAY)
    assert set(paths(cache_entries.prune(2 * DAY, environ))) == {old, alone}
    assert list(folder.iterdir()) == [new]


def test_what_is_being_fetched_stays(environ: dict[str, str]) -> None:
    """What a fetch has left goes."""
    folder = cache_dir.weights_folder(environ)
    left = keep(folder, f"left{part_file.SUFFIX}")
    with part_file.alone(folder / f"busy{part_file.SUFFIX}") as stream:
        stream.write(b"x")
        stream.flush()
        assert paths(cache_entries.prune(0, environ)) == [left]
        assert [file.name for file in folder.iterdir()] == ["busy.part"]


def test_only_files_are_listed(environ: dict[str, str]) -> None:
    """A pipe or a link that leads nowhere is none."""
    folder = cache_dir.weights_folder(environ)
    folder.mkdir(parents=True)
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to("nowhere")
    assert cache_entries.find(environ) == []


def test_a_cache_that_is_no_folder_is_named(environ: dict[str, str]) -> None:
    """With the way out."""
    cache_dir.cache_folder(environ).mkdir()
    cache_dir.weights_folder(environ).write_bytes(b"")
    with pytest.raises(ArtifactError) as raised:
        cache_entries.find(environ)
    (problem,) = raised.value.problems
    assert problem.code == "unwritable"
    assert problem.file == str(cache_dir.weights_folder(environ))


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"XDG_CACHE_HOME": "/cache", "HOME": "/me"}, "/cache/clarifai-build"),
        ({"XDG_CACHE_HOME": "cache", "HOME": "/me"}, "/me/.cache/clarifai-build"),
        ({"XDG_CACHE_HOME": "", "HOME": "/me"}, "/me/.cache/clarifai-build"),
        ({"HOME": "/me"}, "/me/.cache/clarifai-build"),
    ],
)
def test_the_cache_lies_where_xdg_says(environ: dict[str, str], folder: str) -> None:
    """A relative path does not count."""
    assert str(cache_dir.cache_folder(environ)) == folder
    assert str(cache_dir.weights_folder(environ)) == f"{folder}/weights"


def test_without_a_home_the_way_out_is_told() -> None:
    """There is no folder to guess."""
    with pytest.raises(UsageError) as raised:
        cache_dir.cache_folder({"HOME": "~nobody-of-that-name"})
    assert raised.value.problems[0].code == "no-home"


def test_marking_fails_silently(tmp_path: Path) -> None:
    """Who can't write to a cache may still read it."""
    cache_dir.mark_used(tmp_path / "nowhere" / "w")
    cache_dir.mark_used(tmp_path / "w")
    assert [file.name for file in tmp_path.iterdir()] == ["w.used"]
    assert cache_dir.is_mark(tmp_path / "w.used")
    assert not cache_dir.is_mark(tmp_path / "w")
