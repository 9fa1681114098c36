"""A file that one process at a time writes, and that gets its name when it is whole."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from clarifai_build.weights import part_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file lies, in a folder that is not there yet."""
    return tmp_path / "cache" / "w.part"


def test_what_is_written_stays(path: Path) -> None:
    """It is gone on with at its end; an empty file is removed."""
    with part_file.alone(path) as stream:
        stream.write(b"one")
    with part_file.alone(path) as stream:
        stream.write(b"two")
        stream.seek(0)
        assert stream.read() == b"onetwo"
    with part_file.alone(path) as stream:
        stream.truncate(0)
    assert not path.exists()


def test_a_failure_keeps_what_was_written(path: Path) -> None:
    """The next run goes on from there."""

    def fail() -> None:
        with part_file.alone(path) as stream:
            stream.write(b"one")
            raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        fail()
    assert path.read_bytes() == b"one"


def test_two_write_one_after_the_other(path: Path) -> None:
    """Whoever comes second waits, and finds what the first wrote."""
    found: list[bytes] = []

    def second() -> None:
        with part_file.alone(path) as stream:
            stream.seek(0)
            found.append(stream.read())

    with part_file.alone(path) as stream:
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        assert not part_file.remove_unused(path)
        stream.write(b"first")
        stream.flush()
    thread.join()
    assert found == [b"first"]


def test_who_waited_for_a_file_that_moved_begins_anew(path: Path) -> None:
    """What another has moved to its place is not written to any more."""
    target, found = path.with_name("w"), []

    def second() -> None:
        with part_file.alone(path) as stream:
            found.append(stream.seek(0, 2))

    with part_file.alone(path) as stream:
        thread = threading.Thread(target=second)
        thread.start()
        stream.write(b"whole")
        assert part_file.finish(stream, path, target) == 5
    thread.join()
    assert found == [0]
    assert target.read_bytes() == b"whole"
    assert not path.exists()


def test_what_is_whole_takes_its_place(path: Path) -> None:
    """Nobody writes to it then."""
    target = path.with_name("w")
    with part_file.alone(path) as stream:
        stream.write(b"whole")
        assert part_file.finish(stream, path, target) == 5
    assert target.read_bytes() == b"whole"
    assert stat.S_IMODE(target.stat().st_mode) == 0o444
    assert not path.exists()


def test_what_was_removed_meanwhile_takes_its_place_all_the_same(path: Path) -> None:
    """The content is copied from what is still open, the folder included."""
    target = path.with_name("w")
    with part_file.alone(path) as stream:
        stream.write(b"whole")
        path.unlink()
        path.parent.rmdir()
        assert part_file.finish(stream, path, target) == 5
    assert target.read_bytes() == b"whole"
    assert [file.name for file in path.parent.iterdir()] == ["w"]


def test_another_file_of_the_same_name_is_left(path: Path) -> None:
    """It is somebody else's by now, however empty ours is."""
    with part_file.alone(path):
        path.unlink()
        path.write_bytes(b"")
    assert path.exists()


def test_what_nobody_writes_is_removed(path: Path) -> None:
    """What is gone already is gone."""
    assert part_file.remove_unused(path)
    path.parent.mkdir()
    path.write_bytes(b"left")
    assert part_file.remove_unused(path)
    assert not path.exists()
