"""Every manifest under tests/examples gives exactly the problems that its last lines expect."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clarifai_build.errors import ManifestError
from clarifai_build.manifest.discovery import find_manifests
from clarifai_build.validation.load import examine, load
from support.trees import write_files

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


def test_problems_stand_file_by_file(tmp_path: Path) -> None:
    """Those of the manifest come first, then each other file's, by line and column."""
    files = {
        "clarifai.yaml": "version: 2\nmodel: {id: m, type: text-classifier, labels: labels.txt}\n",
        "labels.txt": "a\n\nb\n\n",
        "requirements.txt": "numpy =\nnumpy\nnumpy =\n",
        "inference.py": "class InferenceModel:\n    def get_predictions(self, input_data): ...\n",
    }
    write_files(tmp_path, {name: text.encode() for name, text in files.items()})
    found = examine(tmp_path, {}, offline=True).problems
    assert [(Path(str(p.file)).name, p.line) for p in found] == [
        ("clarifai.yaml", 1),
        ("labels.txt", 2),
        ("labels.txt", 4),
        ("requirements.txt", 1),
        ("requirements.txt", 3),
    ]
