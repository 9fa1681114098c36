"""Pointers of Git LFS, read strictly by their specification."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.source import lfs_pointer
from clarifai_build.source.lfs_pointer import Pointer, pull

OID = "ab" * 32
FIRST = "version https://git-lfs.github.com/spec/v1"


def pointer(*lines: str, first: str = FIRST) -> bytes:
    """Return a pointer of these lines."""
    return "".join(f"{line}\n" for line in (first, *lines)).encode()


@given(st.integers(0, (1 << 63) - 1))
def test_a_pointer_says_digest_and_size(size: int) -> None:
    """Any size that a file can have."""
    parsed = lfs_pointer.parse(pointer(f"oid sha256:{OID}", f"size {size}"))
    assert parsed == Pointer(OID, size, False)


def test_keys_that_are_not_known_are_passed_over() -> None:
    """Of those, extensions are: they make the file of the object."""
    parsed = lfs_pointer.parse(pointer(f"oid sha256:{OID}", "size 1", "x-new anything"))
    assert parsed == Pointer(OID, 1, False)
    extended = pointer(f"ext-0-crypt sha256:{'cd' * 32}", f"oid sha256:{OID}", "size 1")
    assert lfs_pointer.parse(extended) == Pointer(OID, 1, True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        FIRST.encode(),
        pointer(),
        pointer(f"oid sha256:{OID}"),
        pointer("size 1"),
        pointer("size 1", f"oid sha256:{OID}"),
        pointer(f"oid sha256:{OID}", f"oid sha256:{OID}", "size 1"),
        pointer(f"oid sha256:{OID}", "size 1")[:-1],
        pointer(f"oid sha256:{OID}", "size 1").replace(b"\n", b"\r\n"),
        pointer(f"oid sha256:{OID}", "", "size 1"),
        pointer(f"oid  sha256:{OID}", "size 1"),
        pointer(f"oid sha256:{OID.upper()}", "size 1"),
        pointer(f"oid sha256:{OID[1:]}", "size 1"),
        pointer(f"oid sha512:{OID}", "size 1"),
        pointer(f"oid sha256:{OID}", "size 1", first="version https://git-lfs.github.com/spec/v2"),
        *(pointer(f"oid sha256:{OID}", f"size {size}") for size in ("-1", "1.0", "01", "1e3")),
        *(pointer(f"oid sha256:{OID}", f"size {size}") for size in (1 << 63, "9" * 900, "٣", "x")),
        pointer(f"oid sha256:{OID}", "size 1", f"x-long {'y' * 1024}"),
        pointer(f"oid sha256:{OID}", "size 1") + b"\xff\n",
    ],
)
def test_what_is_no_pointer_is_refused(content: bytes) -> None:
    """Order, form and size are those of the specification."""
    with pytest.raises(ValueError, match=r"."):
        lfs_pointer.parse(content)


def test_a_broken_one_is_named_with_what_is_wrong() -> None:
    """By its path in the artifact, and where it lies."""
    problem = lfs_pointer.broken("w.bin", "/m/w.bin", "its keys are not in order")
    assert (problem.code, problem.file) == ("lfs-pointer-broken", "/m/w.bin")
    assert problem.message == "w.bin is a broken Git LFS pointer: its keys are not in order"
    assert "git checkout" in str(problem.hint)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (pointer(f"oid sha256:{OID}", "size x"), "its size"),
        (pointer(f"oid sha1:{OID}", "size 1"), "its oid"),
        (pointer("size 1", f"oid sha256:{OID}"), "its keys are not in order"),
        (pointer("oid"), "one key, a space and a value"),
        (b"x" * 1025, "larger than 1024 bytes"),
        (b"version 1\n", "the first is"),
    ],
)
def test_what_is_wrong_is_said(content: bytes, why: str) -> None:
    """The first that is."""
    with pytest.raises(ValueError, match=why):
        lfs_pointer.parse(content)


def test_a_pointer_may_be_as_large_as_the_specification_has_it() -> None:
    """Not a byte more."""
    short = pointer(f"oid sha256:{OID}", "size 1", "x y")
    filled = pointer(f"oid sha256:{OID}", "size 1", f"x {'y' * (1 + 1024 - len(short))}")
    assert len(filled) == lfs_pointer.MAX_BYTES
    assert lfs_pointer.parse(filled).size == 1


def test_the_command_names_the_file_as_git_lfs_does(tmp_path: Path) -> None:
    """By its path in the repository, quoted for a shell; outside of one, by no path."""
    file = tmp_path / "models" / "a b" / "w,[1].bin"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"")
    assert pull(file) == "git lfs pull"
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    assert pull(file) == "git lfs pull --include 'models/a b/w??1?.bin'"
    (tmp_path / "link").symlink_to("models")
    assert pull(tmp_path / "link" / "w.bin") == "git lfs pull --include models/w.bin"
