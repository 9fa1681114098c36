"""Every manifest under tests/examples gives exactly the problems that its last lines expect."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clarifai_build.errors import ManifestError
from clarifai_build.manifest.discovery import find_manifests
from clarifai_build.validation.load import examine, load

EXAMPLES = Path(__file__).parents[2] / "examples"
EXPECTATION = re.compile(rb"^# expect: (?:(\S+?):)?(\d+):(\d+) (\S+)$", re.MULTILINE)


def cases(kind: str) -> list[object]:
    folder = EXAMPLES / kind
    return [
        pytest.param(path, id=str(path.relative_to(folder))) for path in find_manifests([folder])
    ]


@pytest.mark.parametrize("path", cases("invalid"))
def test_invalid_manifests_give_the_expected_problems(path: Path) -> None:
    """Codes and places are those that the file itself names."""
    expected = sorted(
        (str(path.with_name((name or path.name.encode()).decode())), int(line), int(column), code)
        for name, line, column, code in (
            (match[1], match[2], match[3], match[4].decode())
            for match in EXPECTATION.finditer(path.read_bytes())
        )
    )
    found = examine(path, {}, offline=True).problems
    assert expected
    assert sorted((p.file, p.line, p.column, p.code) for p in found) == expected
    assert all(problem.severity == "error" for problem in found)


@pytest.mark.parametrize("path", cases("invalid"))
def test_invalid_manifests_do_not_load(path: Path) -> None:
    """Loading raises all that examining finds, in one error."""
    with pytest.raises(ManifestError) as caught:
        load(path, {})
    assert caught.value.problems == examine(path, {}).problems


@pytest.mark.parametrize("path", cases("valid"))
def test_valid_manifests_load_without_problems(path: Path) -> None:
    """Nothing is found in them, with an empty environment and online."""
    assert examine(path, {}).problems == ()
    assert load(path, {}).path == path.resolve()


def test_there_are_enough_invalid_manifests() -> None:
    """The corner cases stay covered."""
    assert len(cases("invalid")) >= 40
