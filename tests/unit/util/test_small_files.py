"""Small files are read by their kind and within a limit."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from clarifai_build.util.small_files import (
    MIB,
    NotRegularError,
    TooLargeError,
    parse_json,
    read_end,
    read_small,
    read_small_json,
    read_small_text,
    read_start,
)
from support.bounded import sparse


def test_content_up_to_the_limit_is_returned(tmp_path: Path) -> None:
    """A file of exactly the limit is read; one byte more is too large."""
    file = tmp_path / "file"
    file.write_bytes(b"x" * 1000)
    assert read_small(file, 1000) == b"x" * 1000
    with pytest.raises(TooLargeError) as caught:
        read_small(file, 999)
    assert caught.value.strerror == "it is larger than 999 bytes"


def test_a_file_larger_than_one_read_is_whole(tmp_path: Path) -> None:
    """What does not fit one read of the system is put together."""
    file = tmp_path / "file"
    content = os.urandom(300_000)
    file.write_bytes(content)
    assert read_small(file, MIB) == content


def test_a_file_whose_size_is_not_told_is_read() -> None:
    """Files of /proc say that they are empty, and are read nonetheless."""
    assert b"Name:" in read_small("/proc/self/status", MIB)


def test_a_file_whose_size_is_not_told_is_bounded() -> None:
    """A file of /proc that is longer than the limit is too large."""
    with pytest.raises(TooLargeError):
        read_small("/proc/self/status", 10)


def test_a_sparse_file_is_refused_by_its_size(tmp_path: Path) -> None:
    """Gigabytes are not read to find that they are too many."""
    with pytest.raises(TooLargeError, match="it is larger than 16 MiB"):
        read_small(sparse(tmp_path / "file"), 16 * MIB)


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/null", "/dev/urandom"])
def test_a_device_is_refused(name: str) -> None:
    """A device is not a regular file."""
    with pytest.raises(NotRegularError, match="it is not a regular file"):
        read_small(name, MIB)


def test_a_pipe_without_a_writer_is_refused_at_once(tmp_path: Path) -> None:
    """Nothing waits until somebody writes into a named pipe."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotRegularError):
        read_small(tmp_path / "pipe", MIB)


def test_a_link_to_a_pipe_is_refused(tmp_path: Path) -> None:
    """What a link leads to counts."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with pytest.raises(NotRegularError):
        read_start(tmp_path / "link", 10)


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket can't be opened, and is told as what it is."""
    monkeypatch.chdir(tmp_path)  # the address of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        with pytest.raises(NotRegularError):
            read_small("socket", MIB)


def test_a_folder_is_told_as_one(tmp_path: Path) -> None:
    """A folder raises what opening one raises."""
    with pytest.raises(IsADirectoryError):
        read_small(tmp_path, MIB)


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_a_name_that_no_file_can_have_is_an_os_error(name: str) -> None:
    """Null characters and half characters are refused like a file that is not there."""
    with pytest.raises(OSError, match="no file can have such a name"):
        read_small(name, MIB)


def test_text_has_one_kind_of_line_end(tmp_path: Path) -> None:
    """Line ends of any system become line feeds, as in text files."""
    (tmp_path / "file").write_bytes(b"\xef\xbb\xbfa\r\nb\rc\n")
    assert read_small_text(tmp_path / "file", 100, "utf-8-sig") == "a\nb\nc\n"


def test_json_of_any_depth_is_a_value_error(tmp_path: Path) -> None:
    """A hundred thousand brackets are not JSON, and nothing worse."""
    (tmp_path / "file").write_bytes(b"[" * 100_000)
    with pytest.raises(ValueError, match="it is nested too deeply"):
        read_small_json(tmp_path / "file", MIB)
    assert parse_json('{"a": 1}') == {"a": 1}


def test_the_ends_of_a_large_file_are_read(tmp_path: Path) -> None:
    """The first and the last bytes are read of a file of any size."""
    file = sparse(tmp_path / "file")
    with file.open("r+b") as stream:
        stream.write(b"begin")
        stream.seek(-3, os.SEEK_END)
        stream.write(b"end")
    assert read_start(file, 5) == b"begin"
    assert read_end(file, 3) == "end"
    assert read_end(file, 10).endswith("end")
