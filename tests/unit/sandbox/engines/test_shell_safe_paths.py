"""Where the engines run, and names of folders that a shell takes as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.sandbox.engines.install import numpy_for, runs_on
from clarifai_build.sandbox.engines.shell_safe_paths import forget, is_plain, plain


@pytest.mark.parametrize(
    ("system", "machine", "libc", "expected"),
    [
        ("Linux", "x86_64", ("glibc", "2.35"), True),
        ("Linux", "x86_64", ("glibc", "2.100"), True),
        ("Linux", "x86_64", ("glibc", "2.31"), False),
        ("Linux", "x86_64", ("", ""), False),
        ("Linux", "aarch64", ("glibc", "2.36"), False),
        ("Darwin", "x86_64", ("", ""), False),
        ("Windows", "AMD64", ("", ""), False),
    ],
)
def test_platforms(system: str, machine: str, libc: tuple[str, str], expected: bool) -> None:
    """The wheels are for Linux on x86-64 with a glibc of 2022 or later."""
    assert runs_on(system, machine, libc) is expected


@pytest.mark.parametrize(
    ("python", "numpy"),
    [("3.8", "1.24.4"), ("3.9", "1.26.4"), ("3.10", "1.26.4"), ("3.12", "1.26.4")],
)
def test_numpy_of_a_python(python: str, numpy: str) -> None:
    """It is the one that is pinned for it."""
    assert numpy_for(python) == numpy


def test_a_plain_folder_is_itself(tmp_path: Path) -> None:
    """No link is made where none is needed."""
    assert plain(tmp_path) == tmp_path


@pytest.mark.parametrize("name", ["with space", "it's", "$(touch x)", "a;b", "ü"])
def test_other_folders_get_a_link(tmp_path: Path, name: str) -> None:
    """A folder whose name a shell would take apart is reached by a link, until that is removed."""
    folder = tmp_path / name
    folder.mkdir()
    link = plain(folder)
    assert is_plain(link)
    assert link.resolve() == folder
    assert plain(folder) == link
    forget(folder)
    assert not link.is_symlink()
