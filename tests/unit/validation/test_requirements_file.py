"""A requirements file, line by line, as pip joins and cuts them."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.validation.requirements_file import problems


def found(tmp_path: Path, text: str | bytes) -> list[tuple[str, int | None, int | None]]:
    """Check a file; return code, line and length of each problem."""
    file = tmp_path / "requirements.txt"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    told = list(problems(file, "shown.txt"))
    assert {(problem.file, problem.column) for problem in told} <= {("shown.txt", 1)}
    return [(problem.code, problem.line, problem.length) for problem in told]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("numpy\n\nclarifai\n", [("clarifai-unpinned", 3, 8)]),
        ("\ufeffclarifai\r\n", [("clarifai-unpinned", 1, 8)]),
        (
            "a==1\nnumpy \\\n  >=1 \\\n  x\nclarifai",
            [("requirement-syntax", 2, None), ("clarifai-unpinned", 5, 8)],
        ),
        ("clarifai \\\n  ==9.11.0\nclarifai", [("clarifai-unpinned", 3, 8)]),
        ("clarifai # why", [("clarifai-unpinned", 1, 8)]),
        ("clarifai --no-deps", [("requirement-syntax", 1, 18)]),
        ("CLARIFAI[all]>=9", [("clarifai-unpinned", 1, 16)]),
        ("clarifai===9.11.0\nclarifai==9.11.0", []),
        ("clarifai @ https://h/clarifai.whl", []),
        ("clarifai>=9,==9.11.0", []),
        ("clarifai-grpc\nclarifai2\nnot-clarifai", []),
        ("#clarifai\n  # clarifai\n--pre\n --prefer-binary\n\n", []),
        ("numpy#1", [("requirement-syntax", 1, 7)]),
        ("a b\nc d", [("requirement-syntax", 1, 3), ("requirement-syntax", 2, 3)]),
        ("https://h/x y\ngit+https://h/x@a b", []),
        ("./x y\n/x y", [("requirement-local", 1, 5), ("requirement-local", 2, 4)]),
        (b"a\xe9b", [("not-utf8", 1, 1)]),
    ],
)
def test_lines(
    tmp_path: Path, text: str | bytes, expected: list[tuple[str, int, int | None]]
) -> None:
    """Each problem at the line where its requirement begins."""
    told = found(tmp_path, text)
    assert [(code, line) for code, line, _ in told] == [(code, line) for code, line, _ in expected]
    assert [t for t, e in zip(told, expected, strict=True) if e[2]] == [e for e in expected if e[2]]


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    """As it was called."""
    (problem,) = problems(tmp_path, "shown.txt")
    assert (problem.code, problem.file) == ("unreadable", "shown.txt")
