"""A hundred problems a file are told, and how many more there are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from clarifai_build.errors import MOST_TOLD, Problem, Severity, untold
from clarifai_build.validation.limits import found_by, told


def problems(number: int, file: str = "a", severity: Severity = "error") -> list[Problem]:
    return [Problem("code", f"no {each}", file, each, severity=severity) for each in range(number)]


def test_a_hundred_are_told_as_they_are() -> None:
    """Nothing is added where nothing is left out."""
    found = [*problems(MOST_TOLD), *problems(MOST_TOLD, "b")]
    assert told(found) == found


def test_what_is_left_out_is_counted_by_file() -> None:
    """Each file has its own hundred, and a last problem with the number of the others."""
    shown = told([*problems(1101), *problems(3, "b"), *problems(102, "c")])
    more = [problem for problem in shown if problem.code == "more-problems"]
    assert [(one.file, one.message) for one in more] == [
        ("a", "and 1,001 more problems here"),
        ("c", "and 2 more problems here"),
    ]
    assert len(shown) == 2 * (MOST_TOLD + 1) + 3


def test_errors_come_before_warnings() -> None:
    """A warning that comes first takes no error's place; the order stays."""
    shown = told([*problems(200, severity="warning"), *problems(2)])
    assert [problem.severity for problem in shown] == ["warning"] * 98 + ["error"] * 2 + ["warning"]


def test_an_error_that_is_left_out_makes_an_error() -> None:
    """The last problem is as severe as what it stands for."""
    assert told(problems(101))[-1].severity == "error"
    assert told(problems(101, severity="warning"))[-1].severity == "warning"


def test_problems_without_words_are_counted_only() -> None:
    """What a check found beyond the hundred has no message, and is not shown."""
    shown = told([*(untold("code", "a") for _ in range(50)), *problems(100)])
    assert [problem.message for problem in shown[:-1]] == [one.message for one in problems(100)]
    assert shown[-1].message == "and 50 more problems here"


def test_a_check_without_end_ends() -> None:
    """No check is heard longer than ten thousand problems, and the count says so."""
    endless: Iterator[Problem] = (Problem("code", "no", "a") for _ in count())
    shown = told(found_by(endless, problems(1)))
    assert shown[-1].message == "and at least 9,902 more problems here"
