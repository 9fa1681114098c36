"""Which files the rules leave out: as Git says, with safe defaults before the user's rules."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clarifai_build.artifact.file_list import listing
from clarifai_build.errors import SourceError
from clarifai_build.source.ignoring.gitignore import Verdicts, lines_in, read_rule
from clarifai_build.source.ignoring.ignore import Rules, default_reason
from clarifai_build.util.atomic_file import is_unfinished
from support.trees import manifest_of, write_files

FOLDERS = ("", "a", "b", "ab", "a/b", "b/a", "a/a/b", "a b", "é", "aXb/a")
NAMES = ("a", "b", "ab", "a ", "b\t", "x[", "é", "-", "]", "^a", "!a", "#a", "a\\b", "aXb", "b.a")
PIECES = (
    *("a", "b", "ab", "X", "é", "-", "]", ".", "$", " ", "  ", "\t", "\r", "#", "!", "/", "/"),
    *("?", "*", "**", "***", "**/", "/**", "/**/", "\\", "[", "[a-b]", "[!a]", "[^b]", "[b-a]"),
    *("[]-]", "[a\\]]", "[a/]", "[+--]", "[é]", "[[:alpha:]]", "[[:punct:]a]", "[[:]", "[[:no:]]"),
    *("[[:print:]]", "[[:^print:]]"),
)
RULE = st.builds(
    str.__add__,
    st.sampled_from(("", "", "!", "/", "!/")),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join),
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in which no file is tracked."""
    folder = tmp_path_factory.mktemp("git") / "checkout"
    for place in FOLDERS:
        (folder / place).mkdir(parents=True, exist_ok=True)
    for place in FOLDERS:
        for name in (".keep", *NAMES):
            (folder / place / name).touch()
    subprocess.run(["git", "init", "-q", folder], check=True)
    return folder


def kept_by_git(checkout: Path, rules: str) -> list[str]:
    file = checkout.with_name("rules")
    file.write_bytes(rules.encode())
    command = ["git", "ls-files", "-z", "--others", f"--exclude-from={file}"]
    listed = subprocess.run(command, cwd=checkout, capture_output=True, check=True).stdout
    return sorted(os.fsdecode(name) for name in listed.split(b"\0") if name)


def kept_by_us(checkout: Path, rules: str) -> list[str]:
    read = [read_rule(line) for line in lines_in(rules.encode())]
    verdicts = Verdicts.of([rule for rule in read if rule])
    kept, waiting = [], [""]
    while waiting:
        prefix = waiting.pop()
        for item in os.scandir(checkout / prefix):
            path, folder = prefix + item.name, item.is_dir()
            if path == ".git" or verdicts.out(path, folder):
                continue
            if folder:
                waiting.append(path + "/")
            else:
                kept.append(path)
    return sorted(kept)


def is_refused(rule: str) -> bool:
    try:
        read_rule(lines_in(rule.encode())[0])
    except ValueError:
        return True
    return False


@given(st.lists(RULE, min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
@example(["tests/", "*.a", "!a/"])
@example(["a**/b"])
@example(["***/b", "**\\/b"])
@example(["b\t"])
@example(["?[[:print:]]"])
@example(["a\\   "])
@example(["\ufeffa", "!a\r", "b\x0bb", "b\x85b"])
@example(["/*", "!/a", "/a/*", "!/a/b/"])
@example(["*a*b*", "!**/a*/**/*b"])
@example(["**/a/**/b/**", "*?*[ab]*"])
def test_rules_are_read_as_git_reads_them(checkout: Path, rules: list[str]) -> None:
    """Whatever is taken gives the files that Git gives; what is refused would leave out nothing."""
    refused = [rule for rule in rules if is_refused(rule)]
    for rule in refused:
        assert kept_by_git(checkout, rule) == kept_by_git(checkout, "")
    text = "\n".join(rule for rule in rules if rule not in refused)
    assert kept_by_us(checkout, text) == kept_by_git(checkout, text)


@pytest.mark.parametrize(
    "rule", ["*a" * 40 + "b", "**/a/" * 40 + "b", "/**/*a*a*/" + "**/*a*a*/" * 20 + "b"]
)
def test_many_stars_take_no_time(rule: str) -> None:
    """Nor do they in Git; to try all that each may stand for would take years."""
    read = read_rule(rule)
    assert read
    verdicts = Verdicts.of([read, read])
    for path in ("a" * 200, "aa/" * 100 + "aa", "a/" * 200 + "c"):
        assert verdicts.out(path, folder=False) is None


def reasons(folder: Path, **code: object) -> dict[str, str]:
    """Return what is listed, and why it stays out."""
    return {path: reason for path, _, reason in listing(manifest_of(folder, **code))}


@pytest.mark.parametrize("rules", [b"!/src/\n", b"/*\n!/src/\n", b"!src\n", b"\xef\xbb\xbf!/src/"])
def test_a_folder_that_comes_back_brings_nothing_with_it(tmp_path: Path, rules: bytes) -> None:
    """The defaults are the first rules, and a rule for a folder says nothing of what is in it."""
    names = ("src/a.py", "src/.env", "src/.aws/credentials", "src/__pycache__/a.pyc")
    write_files(tmp_path, {**dict.fromkeys(names, b""), ".clarifaiignore": rules})
    assert reasons(tmp_path) == {
        ".clarifaiignore": "ignore rules",
        "src/.aws": "credentials",
        "src/.env": "credentials",
        "src/__pycache__": "cache",
        "src/a.py": "",
    }


def test_what_is_named_itself_comes_back(tmp_path: Path) -> None:
    """By its path, its name, or a pattern."""
    write_files(tmp_path, dict.fromkeys(("src/.env", "src/.cache/x", ".env", "b.pyc"), b""))
    out = reasons(tmp_path, exclude=("!/src/.env", "!.cache", "!*.pyc"))
    assert out == {".env": "credentials", "b.pyc": "", "src/.cache/x": "", "src/.env": ""}


def test_rules_are_lines_that_end_where_gits_do(tmp_path: Path) -> None:
    """A byte order mark is no part of a rule; what else may end a line elsewhere is."""
    rules = "\ufeffa.log\r\nb\u2028!a.log\nc\x0bd"
    write_files(tmp_path, {"a.log": b"", "d": b"", ".clarifaiignore": rules.encode()})
    assert reasons(tmp_path) == {
        ".clarifaiignore": "ignore rules",
        "a.log": ".clarifaiignore or code.exclude",
        "d": "",
    }


def test_rules_that_never_apply_are_refused_with_their_place(tmp_path: Path) -> None:
    """All of them at once: who wrote one meant to leave something out."""
    write_files(tmp_path, {".clarifaiignore": b"ok\n[a\nx\\\n[[:no:]]\n\0\n"})
    with pytest.raises(SourceError) as caught:
        listing(manifest_of(tmp_path, exclude=("b[",)))
    file = str(tmp_path / ".clarifaiignore")
    assert [(p.code, p.file, p.line) for p in caught.value.problems] == [
        *(("ignore-rule", file, line) for line in (2, 3, 4, 5)),
        ("ignore-rule", None, None),
    ]
    assert "'x\\\\'" in caught.value.problems[1].message


@pytest.mark.parametrize("kind", ["pipe", "folder", "encoding", "utf-16"])
def test_rules_that_can_not_be_read_are_an_error(tmp_path: Path, kind: str) -> None:
    """A pipe of that name would be read for ever."""
    file = tmp_path / ".clarifaiignore"
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        file.write_bytes(b"\xe9\n" if kind == "encoding" else "a\n".encode("utf-16"))
    with pytest.raises(SourceError) as caught:
        listing(manifest_of(tmp_path))
    assert [(p.code, p.file) for p in caught.value.problems] == [("unreadable", str(file))]


def test_no_rule_makes_python_warn(tmp_path: Path) -> None:
    """What Python's regular expressions warn of in a set means nothing to Git."""
    write_files(tmp_path, {"a1": b"", ".clarifaiignore": b"[[:alpha:]]1\n[[a&&b~~c||d--e]\n"})
    code = "import sys; from clarifai_build.source.ignoring.ignore import Rules\n"
    code += "from pathlib import Path\n"
    code += "print(Rules.of(Path(sys.argv[1]), ()).reason('a1', 'a1', False))"
    command = [sys.executable, "-W", "always", "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (".clarifaiignore or code.exclude\n", "")


LEFT_OUT = {
    "version control": ".git .hg .svn .jj .sl .bzr .pijul _darcs CVS"
    " .gitignore .gitattributes .gitmodules",
    "cache": "__pycache__ a.pyc a.pyo .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis"
    " .ipynb_checkpoints .tox .nox .coverage a.egg-info"
    " .uv-cache .npm .pnpm-store .yarn .parcel-cache .triton .nv",
    "virtual environment": ".venv venv .conda node_modules .micromamba .vagrant",
    "records of training runs": ".aim .neptune .guild",
    "data version control": ".dvc .dvcignore",
    "editor or system file": ".idea .vscode .clarifai a.swp a.swo a~ .#a .DS_Store Thumbs.db"
    " desktop.ini .history .Rproj.user .virtual_documents",
    "credentials": ".env .env.local .envrc .netrc _netrc .pypirc .npmrc .aws .ssh .gnupg .kube"
    " .docker .git-credentials",
    "an artifact that was never finished": ".a.zip.1-0a1b2c3d .m.42-00000000",
}
REASONS = {name: why for why, names in LEFT_OUT.items() for name in names.split()}
GO_IN = (
    *(".dockerignore", ".streamlit", ".labels", ".envs", ".gitkeep", ".github", ".venv2", "..a"),
    *(
        "env",
        "aws",
        "git",
        "a.dvcignore",
        "a.env",
        "pyc",
        "venvs",
        "swp",
        "Venv",
        "a.zip.1-0a1b2c3d",
    ),
    *(".a.zip.1-0a1b2c3", ".a.zip.1-0a1b2c3d4", ".a.zip.x-0a1b2c3d", ".a.zip.1-0A1B2C3D", ".a.1"),
    *("..1-0a1b2c3d", ".a.zip.1-0a1b2c3dx", "x.a.zip.1-0a1b2c3d", "#a", "a~b", "id.pyc.txt"),
)


@pytest.mark.parametrize(("name", "why"), REASONS.items())
def test_what_stays_out_by_default(name: str, why: str) -> None:
    """Each for its reason, as file and as folder."""
    assert default_reason(name) == why
    rules = Rules({}, {}, None)
    assert [rules.reason(f"sub/{name}", name, folder) for folder in (True, False)] == [why, why]


@pytest.mark.parametrize("name", GO_IN)
def test_what_goes_in_though_it_looks_alike(name: str) -> None:
    """A name that only resembles a default, or begins with a dot."""
    assert default_reason(name) is None


@given(st.from_regex(r"\.x[a-z0-9._]{0,12}", fullmatch=True))
def test_a_dotfile_is_a_file(name: str) -> None:
    """No default begins so."""
    assert default_reason(f"{name}x") is None


@given(st.from_regex(r"\.[^/\0]{1,9}\.[0-9]{1,6}-[0-9a-f]{8}", fullmatch=True))
def test_what_was_never_finished_stays_out(name: str) -> None:
    """Whatever it would have been called, line ends included."""
    assert is_unfinished(name)
    assert default_reason(name)
    assert not is_unfinished(name[1:].lstrip("."))


def test_dotfiles_are_packed(tmp_path: Path) -> None:
    """Settings of libraries lie in them."""
    names = (".dockerignore", ".streamlit/config.toml", "sub/.labels", "sub/.git", ".netrc")
    write_files(tmp_path, dict.fromkeys(names, b""))
    assert [(item.path, item.reason) for item in listing(manifest_of(tmp_path))] == [
        (".dockerignore", ""),
        (".netrc", "credentials"),
        (".streamlit/config.toml", ""),
        ("sub/.git", "version control"),
        ("sub/.labels", ""),
    ]


def test_what_the_tool_knows_comes_before_any_rule() -> None:
    """A manifest is laid elsewhere or not at all, however it is called."""
    rules = Rules({"a/.env": "the manifest"}, {}, None)
    assert rules.reason("a/.env", ".env", False) == "the manifest"
    assert rules.reason("b/.env", ".env", False) == "credentials"
