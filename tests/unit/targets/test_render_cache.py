"""Rendered files, kept: the same as rendered anew, wherever they are kept or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from clarifai_build.targets.render_cache import render_once
from clarifai_build.targets.triton.render import context_of, render
from support.trees import manifest_of

MANIFEST = manifest_of(Path("/models"))
CONTEXT = context_of(MANIFEST, ())
FILES = render(CONTEXT)


def test_what_is_kept_is_what_was_rendered(tmp_path: Path) -> None:
    """The first time, the second time, and without a place to keep it."""
    assert render_once(CONTEXT, None, render) == FILES
    assert render_once(CONTEXT, tmp_path / "a" / "b", render) == FILES
    assert render_once(CONTEXT, tmp_path / "a" / "b", render) == FILES
    assert len(list((tmp_path / "a" / "b").iterdir())) == 1


def test_the_second_time_nothing_is_rendered(tmp_path: Path) -> None:
    """What was kept is taken as it is, and stays as it is."""
    render_once(CONTEXT, tmp_path, render)
    (kept,) = tmp_path.iterdir()
    before = kept.stat()
    render_once(CONTEXT, tmp_path, render)
    after = kept.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_another_model_is_another_rendering(tmp_path: Path) -> None:
    """Nothing of the one is taken for the other."""
    other = context_of(replace(MANIFEST, triton=replace(MANIFEST.triton, max_batch_size=7)), ())
    assert render_once(CONTEXT, tmp_path, render) == FILES
    assert render_once(other, tmp_path, render) == render(other) != FILES
    assert len(list(tmp_path.iterdir())) == 2


def test_a_place_that_can_not_be_written_keeps_nothing(tmp_path: Path) -> None:
    """And costs nothing."""
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", Path("/proc/nowhere")):
        assert render_once(CONTEXT, folder, render) == FILES


def test_the_runtime_is_never_kept(tmp_path: Path) -> None:
    """It is of this tool's version, and large."""
    render_once(CONTEXT, tmp_path, render)
    (kept,) = tmp_path.iterdir()
    assert "clarifai_runtime/" not in kept.read_text()
    assert any(path.startswith("1/clarifai_runtime/") for path in FILES)
