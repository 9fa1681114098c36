"""Two requirements of one package: which can't be had together."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.errors import Problem
from clarifai_build.validation.requirements_file import problems
from support.trees import write_files


def found(folder: Path, *lines: str, python: str = "3.11", **others: str) -> list[Problem]:
    """Return the conflicts of a requirements file."""
    texts = {"requirements.txt": "\n".join(lines), **others}
    write_files(folder, {name: text.encode() for name, text in texts.items()})
    told = problems(folder / "requirements.txt", "requirements.txt", locked=True, python=python)
    return [problem for problem in told if problem.code == "requirement-conflict"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("numpy==1.26", "numpy==2.0"),
        ("numpy==1.26", "NumPy == 2.0"),
        ("zope.interface==6.0", "Zope_Interface==7.0"),
        ("numpy>=2", "numpy==1.26"),
        ("numpy===1.26", "numpy===1.26.0"),
        ("numpy==2.*", "numpy==1.26"),
        ("torch==2.1.0+cu118", "torch==2.1.0+cpu"),
        ("uvicorn[standard]==0.30.0", "uvicorn==0.29.0"),
        ("numpy==1.26 ; python_version < '3.12'", "numpy==2.0"),
        ("numpy==1.26 ; sys_platform == 'linux'", "numpy==2.0 ; platform_machine == 'x86_64'"),
        (f"six==1.16.0 --hash=sha256:{'a' * 64}", f"six==1.15.0 --hash=sha256:{'b' * 64}"),
    ],
)
def test_what_excludes_another_is_told_with_both_lines(
    tmp_path: Path, one: str, other: str
) -> None:
    """At the second of them, which names the first; in either order."""
    (problem,) = found(tmp_path, "# made by hand", one, "pillow", other)
    assert (problem.line, problem.severity) == (4, "error")
    assert f"'{one.split(' --hash')[0]}' (requirements.txt:2)" in problem.message
    assert len(found(tmp_path, other, one)) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("numpy==1.26", "numpy==1.26"),
        ("numpy==1.26", "numpy==1.26.0"),
        ("numpy==1.26", "numpy==1.26.*"),
        ("numpy==1.26.4", "numpy>=1.24,<2"),
        ("numpy>=2", "numpy<2"),
        ("torch==2.1.0", "torch==2.1.0+cpu"),
        ("numpy==2.0.0rc1", "numpy>=1.26"),
        ("numpy==1.26 ; python_version < '3.9'", "numpy==2.0 ; python_version >= '3.9'"),
        ("numpy==1.26 ; python_version >= '3.12'", "numpy==2.0"),
        ("numpy==1.26 ; sys_platform == 'darwin'", "numpy==2.0"),
        ("numpy==1.26", "numpy-stl==2.0"),
        ("own @ https://h.example/own-1.0-py3-none-any.whl", "own==2.0"),
        ("git+https://h.example/a.git@v1#egg=a", "git+https://h.example/b.git@v1#egg=b"),
    ],
)
def test_what_can_be_had_together_is_not(tmp_path: Path, one: str, other: str) -> None:
    """The same version in another form, a range around it, another machine or package."""
    assert found(tmp_path, one, other) == found(tmp_path, other, one) == []


def test_markers_are_asked_of_the_models_python(tmp_path: Path) -> None:
    """The two overlap in some Pythons alone."""
    lines = ("numpy==1.26 ; python_version < '3.12'", "numpy==2.0 ; python_version >= '3.10'")
    assert [len(found(tmp_path, *lines, python=p)) for p in ("3.9", "3.11", "3.12")] == [0, 1, 0]


def test_files_that_are_included_count(tmp_path: Path) -> None:
    """Constraints, too; the place of the other line names its file."""
    (problem,) = found(tmp_path, "-r base.txt", "numpy==2.0", **{"base.txt": "numpy==1.26\n"})
    assert (problem.file, problem.line) == ("requirements.txt", 2)
    assert "(base.txt:1)" in problem.message
    (problem,) = found(tmp_path, "numpy==2.0", "-c limits.txt", **{"limits.txt": "numpy<2\n"})
    assert problem.file == "limits.txt"


def test_each_line_is_told_once(tmp_path: Path) -> None:
    """However many others it excludes, and those of a generated file are not compared for ever."""
    assert len(found(tmp_path, *(f"numpy==1.{minor}" for minor in range(5)))) == 4
    assert len(found(tmp_path, *(f"numpy==1.{minor}" for minor in range(5000)))) == 99
