"""A small file that is there whole, or as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.util.atomic_file import atomic_write


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"old")
    (tmp_path / "link").symlink_to("kept")
    atomic_write(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "kept").read_bytes() == b"new"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["kept", "link"]


def test_what_can_not_be_replaced_stays_alone(tmp_path: Path) -> None:
    """No unfinished file is left beside it."""
    (tmp_path / "folder" / "x").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        atomic_write(tmp_path / "folder", b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]
