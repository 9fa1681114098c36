"""Files that are read whole: their content, what is found in it, and what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from clarifai_build.errors import SourceError
from clarifai_build.source.content_checks import ContentRules
from clarifai_build.source.content_reader import ContentReader
from clarifai_build.source.source_file import FileStat, SourceFile, read_whole
from clarifai_build.util.tokens.token_pattern import TokenPattern

RULES = ContentRules((TokenPattern("the end", ("END",), "END"),), (), 5)


def found(folder: Path, name: str, content: bytes) -> SourceFile:
    """Write a file, and find it as a walk does."""
    file = folder / name
    file.write_bytes(content)
    return SourceFile(name, str(file), FileStat.of(file.stat()), executable=False)


@pytest.mark.parametrize("size", [0, 1, 4096, 1 << 20])
def test_a_file_is_read_whole(tmp_path: Path, size: int) -> None:
    """Whatever its size."""
    content = os.urandom(size)
    assert read_whole(found(tmp_path, "a", content)) == content


def test_a_system_that_gives_less_at_a_time_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As network file systems do; the end of the file ends it."""
    read = os.read
    monkeypatch.setattr(os, "read", lambda file, length: read(file, min(length, 3)))
    assert read_whole(found(tmp_path, "a", b"0123456789")) == b"0123456789"


CHANGES: dict[str, Callable[[Path], object]] = {
    "grows": lambda file: file.write_bytes(b"content and more"),
    "shrinks": lambda file: os.truncate(file, 2),
    "is touched": lambda file: os.utime(file, ns=(0, 0)),
    "is another": lambda file: file.replace(file.with_name("b")) and file.write_bytes(b"content"),
    "is a pipe": lambda file: file.unlink() or os.mkfifo(file),  # type: ignore[func-returns-value]
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_is_not_the_one_found_is_refused(tmp_path: Path, change: str) -> None:
    """Whatever became of it since the walk; nobody waits for a pipe."""
    file = found(tmp_path, "a", b"content")
    CHANGES[change](tmp_path / "a")
    with pytest.raises(SourceError, match="a changed while it was read"):
        read_whole(file)


def test_a_file_that_changes_after_it_was_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a byte of it is read, or afterwards."""
    file, read = found(tmp_path, "a", b"content"), os.read

    def read_and_write(descriptor: int, length: int) -> bytes:
        content = read(descriptor, length)
        (tmp_path / "a").write_bytes(b"another")
        return content

    monkeypatch.setattr(os, "read", read_and_write)
    with pytest.raises(SourceError, match="a changed while it was read"):
        read_whole(file)


def test_a_file_that_says_less_than_it_has_is_refused(tmp_path: Path) -> None:
    """As files of /proc say that they are empty: its size is a part of the zip."""
    status = Path("/proc/self/status")
    with status.open("rb"):  # held, so that its inode stays the same
        file = SourceFile("status", str(status), FileStat.of(status.stat()), executable=False)
        with pytest.raises(SourceError, match="status changed while it was read"):
            read_whole(file)


def test_findings_and_problems_are_gathered(tmp_path: Path) -> None:
    """Of files up to the bound of the rules; a file with a problem has no content."""
    reader = ContentReader(RULES)
    files = [
        found(tmp_path, name, content)
        for name, content in {"token": b"--END", "long": b"---END", "gone": b"END"}.items()
    ]
    (tmp_path / "gone").unlink()
    assert [reader.content(file) for file in files] == [b"--END", b"---END", None]
    assert reader.findings == {str(tmp_path / "token"): "the end"}
    assert [(problem.code, problem.file) for problem in reader.problems] == [
        ("vanished", str(tmp_path / "gone"))
    ]
