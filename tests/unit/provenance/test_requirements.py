"""Requirements files: what belongs to them, and what resolving them says when it can't."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from clarifai_build.errors import SourceError
from clarifai_build.provenance import requirements
from support.trees import write_files
from support.wheels import wheel


def test_includes_are_followed_to_the_end(tmp_path: Path) -> None:
    """Over folders, once each, though they name each other; every one of them counts."""
    file = (
        write_files(
            tmp_path,
            {
                "requirements.txt": b"-r sub/a.txt\n--constraint=c.txt\n",
                "sub/a.txt": b"--requirement b.txt\n-r ../requirements.txt\n",
                "sub/b.txt": b"numpy\n",
                "c.txt": b"numpy<2\n",
            },
        )
        / "requirements.txt"
    )
    seen = {requirements.digest(file)}
    for name in ("sub/a.txt", "sub/b.txt", "c.txt", "requirements.txt"):
        with (tmp_path / name).open("a") as included:
            included.write("scipy\n")
        seen.add(requirements.digest(file))
    assert len(seen) == 5


def test_addresses_are_not_files(tmp_path: Path) -> None:
    """What lies in the network is none of the folder's."""
    file = write_files(tmp_path, {"r.txt": b"-r https://h.example/r.txt\n"}) / "r.txt"
    assert len(requirements.digest(file)) == 64


@pytest.mark.parametrize("name", ["none.txt", "r.txt"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    """Also one that another includes."""
    write_files(tmp_path, {"r.txt": b"-r none.txt\n"})
    with pytest.raises(SourceError, match=r"none\.txt can't be read"):
        requirements.digest(tmp_path / name)


def test_a_package_is_resolved_for_the_models_python(tmp_path: Path) -> None:
    """Markers are those of where models are served, not of this machine."""
    for name in ("alpha", "beta", "gamma"):
        wheel(tmp_path / "wheels", name, "1.0")
    text = (
        "--no-index\n--find-links wheels\nalpha; python_version < '3.10'\n"
        "beta; python_version >= '3.10'\ngamma; sys_platform == 'win32'\n"
    )
    file = write_files(tmp_path, {"r.txt": text.encode()}) / "r.txt"
    assert requirements.compile_pins(file, "3.9", "").startswith("alpha==1.0")
    pins = requirements.compile_pins(file, "3.12", "")
    assert pins.startswith("beta==1.0")
    assert "gamma" not in pins
    assert "wheels" not in pins
    assert "#" not in pins


def test_without_uv_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With how to get it; one on the PATH will do."""
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    file = write_files(tmp_path, {"r.txt": b""}) / "r.txt"
    with pytest.raises(SourceError, match="not installed") as raised:
        requirements.compile_pins(file, "3.12", "")
    assert raised.value.problems[0].code == "uv-missing"
    write_files(tmp_path, {"uv": b"#!/bin/sh\necho as asked >&2\nexit 3\n"})
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    with pytest.raises(SourceError, match=r"r\.txt can't be resolved for Python 3\.12.*as asked"):
        requirements.compile_pins(file, "3.12", "")


@pytest.mark.parametrize(
    "include",
    ["-r base.txt", "-r\tbase.txt", "--requirement=base.txt", "-c  base.txt", "-rbase.txt"],
)
def test_what_requirements_include_is_a_part_of_them(tmp_path: Path, include: str) -> None:
    """However the include is written."""
    (tmp_path / "base.txt").write_text("numpy\n")
    (tmp_path / "requirements.txt").write_text(f"{include}\n")
    before = requirements.digest(tmp_path / "requirements.txt")
    (tmp_path / "base.txt").write_text("numpy<3\n")
    assert requirements.digest(tmp_path / "requirements.txt") != before
