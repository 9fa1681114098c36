"""Problems in their four renderings."""

from __future__ import annotations

import json
from pathlib import Path

from clarifai_build.errors import Problem
from clarifai_build.reports import problems as report
from clarifai_build.validation.load import examine


def problem_in(folder: Path, line: str, **where: int) -> Problem:
    path = folder / "clarifai.yaml"
    path.write_text(f"first\n{line}\n", encoding="utf-8")
    return Problem("some-code", "no good", str(path), 2, **where)


def test_the_caret_stands_under_the_exact_word(tmp_path: Path) -> None:
    """Place, code, message, line, caret, and a 'did you mean' on the first line."""
    problem = problem_in(tmp_path, "  max_batchsize: 4", column=3, length=13)
    text = report.text([problem])
    assert text.splitlines() == [
        f"{problem.file}:2:3: error[some-code] no good",
        "   2 |   max_batchsize: 4",
        "     |   ^^^^^^^^^^^^^",
    ]
    meant = Problem("some-code", "no good", hint="did you mean 'good'?")
    assert report.text([meant]) == "error[some-code] no good; did you mean 'good'?"


def test_carets_reckon_with_wide_characters_and_tabs(tmp_path: Path) -> None:
    """A character that takes two cells moves the caret by two."""
    text = report.text([problem_in(tmp_path, "\tラベル: x", column=7)])
    assert text.splitlines()[-1] == "     | " + " " * 12 + "^"


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    """Not in text, and not in what other tools read."""
    token = "0123456789abcdef0123456789abcdef"
    manifest = tmp_path / "clarifai.yaml"
    manifest.write_text(f"model: {{id: a, id: {token}, type: {token}, {token}: 1}}\n")
    problems = examine(manifest, {}).problems
    assert "secret-in-manifest" in {problem.code for problem in problems}
    for written in (
        report.text(problems),
        report.github(problems),
        report.sarif(problems),
        json.dumps(report.as_json(problems)),
    ):
        assert token not in written


def test_a_password_in_an_address_is_never_shown(tmp_path: Path) -> None:
    """Neither where it is written nor where a variable brings it in; all places are refused."""
    manifest = tmp_path / "clarifai.yaml"
    manifest.write_text(
        "model: {id: a, type: text-to-text}\n"
        "weights:\n"
        f"- {{to: a, from: 'https://me:hunter2@h/a', sha256: {'a' * 64}}}\n"
        f"- {{to: b, from: 'ftp://me:hunter2@h/a', sha256: {'a' * 64}}}\n"
        "storage:\n"
        "  bucket: models\n"
        "  endpoint_url: ${env:ENDPOINT}\n"
        "  public_base_url: http://me:p/hunter2@h\n"
        "clarifai:\n"
        "  api_base: me:hunter2@api.example.com\n"
    )
    problems = examine(manifest, {"ENDPOINT": "http://me:hunter2@h"}).errors
    codes = [problem.code for problem in problems]
    assert codes.count("weight-source") == 2
    assert (codes.count("address-credentials"), codes.count("env-secret")) == (2, 1)
    for written in (report.text(problems), report.sarif(problems)):
        assert "hunter2" not in written


def test_long_lines_are_cut_around_the_caret(tmp_path: Path) -> None:
    """A line of a thousand characters does not fill the screen."""
    text = report.text([problem_in(tmp_path, "x" * 500 + "here" + "x" * 500, column=501, length=4)])
    _, source, caret = text.splitlines()
    assert len(source) < 180
    start = caret.index("^")
    assert source[start : start + 4] == "here"


def test_github_annotations_escape_what_the_format_reserves() -> None:
    """Percent signs, line breaks, and in properties commas and colons."""
    problem = Problem("code", "50% of\nit", "a,b:c.yaml", 1, 2, 3, severity="warning")
    assert report.github([problem]) == (
        "::warning title=code,file=a%2Cb%3Ac.yaml,line=1,col=2,endColumn=5::50%25 of%0Ait"
    )


def test_sarif_names_rules_and_regions() -> None:
    """Each result points at its rule, its file as a URI, and its region."""
    log = json.loads(report.sarif([Problem("code", "bad", "a b.yaml", 3, 2, 4)]))
    (run,) = log["runs"]
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "code"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b.yaml"
    assert place["region"] == {"startLine": 3, "startColumn": 2, "endColumn": 6}


def test_json_counts_errors_and_warnings() -> None:
    """Scripts need not count."""
    problems = [Problem("a", "x"), Problem("b", "y", severity="warning")]
    written = report.as_json(problems)
    assert (written["errors"], written["warnings"]) == (1, 1)
    assert written["problems"][0]["code"] == "a"
