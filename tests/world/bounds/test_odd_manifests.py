"""A manifest of a megabyte is judged at once, whatever is odd about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clarifai_build.validation.load import examine
from support.bounded import measured, model_in
from support.command_line import ended
from support.odd_manifests import odd_manifests

# Those that took from ten seconds to hours; `make bench-odd` measures them all, against 2 s.
SLOW = {
    "text of '://'": "unknown-key",
    "unknown keys on one line": "unknown-key",
    "batch sizes": "preferred-over-max",
    "address with a blank": "bad-value",
    "open references": "env-syntax",
    "open references to an id": "env-syntax",
    "directives": "yaml-syntax",
    "aliases of a long text": "yaml-alias",
    "too many values": "yaml-values",
    "deep target": "path-outside",
    "deep labels": "labels-missing",
    "rule of spaces": "ignore-rule",
    "rules of stars": "ignore-rule",
    "rules in one item": "ignore-rule",
    # Those that take the most memory.
    "weights by reference": "env-unset",
    "unknown keys": "unknown-key",
    "tokens": "secret-in-manifest",
}


@pytest.mark.parametrize("what", SLOW)
def test_an_odd_manifest_is_judged_at_once(tmp_path: Path, what: str) -> None:
    """Each is refused for what it is, in time and memory that grow with its size alone."""
    manifest = model_in(tmp_path, odd_manifests()[what])
    ran = measured("validate", manifest, "-o", "json")
    assert ran.code == 3
    assert ran.seconds < 10
    assert ran.memory < 200_000_000
    problems = json.loads(ran.out)["problems"]
    assert SLOW[what] in {problem["code"] for problem in problems}
    assert len(problems) <= 101
    assert all(len(problem["message"]) <= 1100 for problem in problems)


def test_a_hundred_problems_are_told_and_the_others_counted(tmp_path: Path) -> None:
    """Of 10,000 unknown keys on one line, in each form, 9,900 are counted."""
    manifest = model_in(tmp_path, odd_manifests()["unknown keys on one line"])
    ran = ended("validate", manifest)
    assert ran.code == 3
    assert ran.out.count("error[unknown-key]") == 100
    assert "error[more-problems] and 9,900 more problems here" in ran.out
    assert len(ran.out) < 100_000
    codes = [
        one["code"] for one in json.loads(ended("validate", manifest, "-o", "json").out)["problems"]
    ]
    assert codes == ["unknown-key"] * 100 + ["more-problems"]


def test_a_manifest_of_more_than_a_megabyte_is_refused(tmp_path: Path) -> None:
    """One byte more than 1 MiB is too large, be they comments."""
    text = "model: {id: a, type: text-to-text}\n"
    manifest = model_in(tmp_path, text + "#" * (1024 * 1024 - len(text)))
    assert examine(manifest, {}).problems == ()
    model_in(tmp_path, text + "#" * (1024 * 1024 - len(text) + 1))
    assert [one.code for one in examine(manifest, {}).problems] == ["manifest-too-big"]


def test_blank_lines_in_labels_are_counted(tmp_path: Path) -> None:
    """A file of labels has its own hundred problems."""
    manifest = model_in(tmp_path, "model: {id: a, type: visual-classifier, labels: labels.txt}\n")
    (tmp_path / "labels.txt").write_text("one\n" + "\n" * 300)
    problems = examine(manifest, {}).problems
    assert [one.code for one in problems] == ["label-blank"] * 100 + ["more-problems"]
    assert problems[-1].message == "and 200 more problems here"
