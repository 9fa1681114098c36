"""A small file that is there whole, or as it was."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clarifai_build.util import atomic_file
from clarifai_build.util.atomic_file import (
    atomic_write,
    hold,
    is_partial,
    is_unfinished,
    open_partial,
    partial_path,
    remove_abandoned,
    remove_if_abandoned,
)

# Above the largest that the kernel gives.
DEAD = f"{(1 << 22) + 1}-0123abcd"


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


def test_what_is_written_has_a_name_of_ours(tmp_path: Path) -> None:
    """By which it is left out of artifacts, and removed when its writer was killed."""
    partial, descriptor = open_partial(tmp_path / "a.zip")
    os.close(descriptor)
    assert is_partial(partial.name)
    assert is_unfinished(partial.name)
    assert not is_partial(".a.zip.20240101-deadbeef")


def test_what_was_removed_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two, a clean-up takes it for abandoned."""
    tries = []

    def late(descriptor: int, path: Path) -> bool:
        tries.append(path)
        if len(tries) == 1:
            path.unlink()
        return hold(descriptor, path)

    monkeypatch.setattr(atomic_file, "hold", late)
    partial, descriptor = open_partial(tmp_path / "a.zip")
    os.close(descriptor)
    assert [partial] == tries[1:] == list(tmp_path.iterdir())


def test_links_and_pipes_are_left_alone(tmp_path: Path) -> None:
    """What they lead to is another's, and a pipe would block."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    partial_path(tmp_path / "a", DEAD).symlink_to("kept")
    os.mkfifo(partial_path(tmp_path / "b", DEAD))
    before = sorted(tmp_path.rglob("*"))
    remove_abandoned(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    """Nor does a file."""
    remove_abandoned(tmp_path / "none")
    (tmp_path / "file").touch()
    remove_abandoned(tmp_path / "file")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_number_that_lives_may_be_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a minute in which nobody has locked it, it is."""
    partial = partial_path(tmp_path / "a", f"{os.getpid()}-0123abcd")
    partial.touch()
    assert not remove_if_abandoned(partial)
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    assert remove_if_abandoned(partial)
    assert not partial.exists()


def test_a_process_whose_end_nobody_has_seen_is_dead(tmp_path: Path) -> None:
    """As in a container whose first process does not wait for others."""
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    partial = partial_path(tmp_path / "a", f"{process.pid}-0123abcd")
    partial.touch()
    assert remove_if_abandoned(partial)
    process.communicate()
