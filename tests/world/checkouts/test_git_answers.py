"""Git answers for the folder, in whatever shape its checkout is, or it is said that it does not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from clarifai_build.errors import SourceError
from clarifai_build.util import git
from clarifai_build.util.vcs.process import GitError
from support import clones
from support.clones import commit

FILES = {"model/a.txt": b"one\n", "other.txt": b"other\n"}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with a model's folder and a commit."""
    folder = tmp_path / "clone"
    folder.mkdir()
    commit(folder, FILES)
    return folder


def content(folder: Path, revision: str = "HEAD") -> dict[str, bytes]:
    """Return the files below a folder at a revision."""
    with git.files_at(folder, revision) as there:
        return {
            path.relative_to(there).as_posix(): path.read_bytes()
            for path in there.rglob("*")
            if path.is_file()
        }


@pytest.mark.parametrize("work_tree", [False, True])
def test_a_hook_of_a_linked_worktree_asks_about_the_folder(
    clone: Path, tmp_path: Path, work_tree: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clean tree is clean, and files come from its commit, though a hook's variables are set."""
    first = clones.git(clone, "rev-parse", "HEAD")
    second = commit(clone, {"model/a.txt": b"two\n"})
    linked = tmp_path / "linked"
    clones.git(clone, "worktree", "add", "-q", str(linked), "-b", "linked")
    monkeypatch.setenv("GIT_DIR", str(clone / ".git" / "worktrees" / "linked"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(clone / ".git" / "worktrees" / "linked" / "index"))
    if work_tree:
        monkeypatch.setenv("GIT_WORK_TREE", str(linked))
    assert git.checkout_of(linked / "model") == git.Checkout(second, dirty=False)
    assert git.commit_of(linked / "model", "HEAD~1") == first
    assert content(linked / "model", "HEAD~1") == {"a.txt": b"one\n"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GIT_DIR", ".git"),
        ("GIT_DIR", "/nowhere"),
        ("GIT_INDEX_FILE", "/nowhere/index"),
        ("GIT_OBJECT_DIRECTORY", "/nowhere"),
        ("GIT_COMMON_DIR", "/nowhere"),
        ("GIT_NAMESPACE", "other"),
        ("GIT_CEILING_DIRECTORIES", "/"),
        ("GIT_LITERAL_PATHSPECS", "1"),
        ("GIT_ICASE_PATHSPECS", "1"),
    ],
)
def test_variables_of_git_lead_nowhere_else(
    clone: Path, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever one of them says, the folder's own repository is asked."""
    head = clones.git(clone, "rev-parse", "HEAD")
    monkeypatch.setenv(name, value)
    assert git.checkout_of(clone / "model") == git.Checkout(head, dirty=False)
    (clone / "model" / "a.txt").write_text("two\n")
    assert git.checkout_of(clone / "model") == git.Checkout(head, dirty=True)
    assert content(clone / "model") == {"a.txt": b"one\n"}


def test_a_bare_repository_with_a_work_tree_elsewhere_is_asked(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the user names both, and the folder has no repository of its own."""
    bare, tree = tmp_path / "bare.git", tmp_path / "tree"
    clones.git(tmp_path, "clone", "-q", "--bare", str(clone), str(bare))
    tree.mkdir()
    clones.git(tree, f"--git-dir={bare}", f"--work-tree={tree}", "checkout", "-q", "main")
    assert git.checkout_of(tree / "model") is None
    monkeypatch.setenv("GIT_DIR", os.path.relpath(bare))
    monkeypatch.setenv("GIT_WORK_TREE", str(tree))
    head = clones.git(clone, "rev-parse", "HEAD")
    assert git.checkout_of(tree / "model") == git.Checkout(head, dirty=False)
    assert content(tree / "model") == {"a.txt": b"one\n"}
    assert git.checkout_of(tmp_path) is None


def foreign(clone: Path, patch: pytest.MonkeyPatch) -> None:
    """Let the repository belong to another user, as in a container."""
    patch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")


def broken(clone: Path, patch: pytest.MonkeyPatch) -> None:
    """Let a linked work tree be mounted without its repository."""
    (clone / ".git").rename(clone / "kept")
    (clone / ".git").write_text("gitdir: /nowhere/.git/worktrees/x\n")


def absent(clone: Path, patch: pytest.MonkeyPatch) -> None:
    """Let there be no Git."""
    patch.setenv("PATH", "")


REFUSALS = pytest.mark.parametrize(
    ("refuse", "code", "way_out"),
    [
        (foreign, "git-refuses", "safe.directory"),
        (broken, "git-refuses", "git status"),
        (absent, "git-missing", "install Git"),
    ],
)
Refuse = Callable[[Path, pytest.MonkeyPatch], None]


@REFUSALS
def test_no_answer_is_not_no_repository(
    clone: Path, refuse: Refuse, code: str, way_out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every question says why Git does not answer, and what to do."""
    refuse(clone, monkeypatch)
    folder = clone / "model"
    for ask in (git.checkout_of, git.remote_of, git.tracked, lambda at: git.commit_of(at, "HEAD")):
        with pytest.raises(GitError) as raised:
            ask(folder)
        assert raised.value.problems[0].code == code
        assert way_out in (raised.value.problems[0].hint or "")
    with pytest.raises(GitError), git.files_at(folder, "HEAD"):
        pass


def test_a_detached_head_is_a_commit(clone: Path) -> None:
    """As CI checks out."""
    head = clones.git(clone, "rev-parse", "HEAD")
    clones.git(clone, "checkout", "-q", "--detach")
    assert git.checkout_of(clone / "model") == git.Checkout(head, dirty=False)


@pytest.mark.parametrize(
    "setting", ["status.showUntrackedFiles=no", "core.fileMode=false", "core.ignoreCase=true"]
)
def test_settings_hide_no_change(clone: Path, setting: str) -> None:
    """New files, modes and the case of names count, whatever a repository is told to overlook."""
    clones.git(clone, "config", *setting.split("="))
    file = clone / "model" / "a.txt"
    if "Untracked" in setting:
        (clone / "model" / "new.txt").write_text("new")
    elif "fileMode" in setting:
        file.chmod(0o755)
    else:
        file.rename(file.with_name("A.txt"))
    checkout = git.checkout_of(clone / "model")
    assert checkout is not None
    assert checkout.dirty


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_flags_of_the_index_hide_no_change(clone: Path, flag: str) -> None:
    """A file that Git is told not to look at is compared."""
    clones.git(clone, "update-index", flag, "model/a.txt")
    checkout = git.checkout_of(clone / "model")
    assert checkout is not None
    assert not checkout.dirty
    (clone / "model" / "a.txt").write_text("two\n")
    assert git.checkout_of(clone / "model") == git.Checkout(checkout.commit, dirty=True)


def test_a_status_that_fails_is_not_clean(clone: Path) -> None:
    """A filter that is required and missing, as Git LFS may be, is told."""
    commit(clone, {".gitattributes": b"*.bin filter=gone\n", "model/a.bin": b"one"})
    clones.git(clone, "config", "filter.gone.clean", "/nowhere/clean")
    clones.git(clone, "config", "filter.gone.required", "true")
    (clone / "model" / "a.bin").write_bytes(b"two")
    with pytest.raises(GitError, match="git status failed"):
        git.checkout_of(clone / "model")


def test_names_of_any_kind_come_back(clone: Path) -> None:
    """Quotes, line breaks, other scripts, bytes that are no text."""
    names = ['"q".txt', "ä é.txt", "a\nb.txt", os.fsdecode(b"\xff.txt")]
    commit(clone, {f"möd\nel/{name}": name.encode(errors="surrogateescape") for name in names})
    found = content(clone / "möd\nel")
    assert found == {name: name.encode(errors="surrogateescape") for name in names}


def test_attributes_are_those_of_the_revision(clone: Path) -> None:
    """Line ends follow the `.gitattributes` of the commit, not those of today."""
    commit(clone, {".gitattributes": b"*.txt text eol=crlf\n"})
    crlf = clones.git(clone, "rev-parse", "HEAD")
    commit(clone, {".gitattributes": b"*.txt text eol=lf\n"})
    assert content(clone / "model", crlf) == {"a.txt": b"one\r\n"}
    assert content(clone / "model") == {"a.txt": b"one\n"}


def test_a_sparse_checkout_gives_whole_revisions(clone: Path) -> None:
    """What is not checked out is in the commit all the same."""
    commit(clone, {"model/deep/b.txt": b"b"})
    clones.git(clone, "sparse-checkout", "set", "--no-cone", "/model/*", "!/model/deep/")
    assert not (clone / "model" / "deep").exists()
    assert content(clone / "model") == {"a.txt": b"one\n", "deep/b.txt": b"b"}


def test_a_repository_without_a_commit_has_none(tmp_path: Path) -> None:
    """Nothing is recorded, and a revision is unknown."""
    clones.git(tmp_path, "init", "-q")
    assert git.checkout_of(tmp_path) is None
    with pytest.raises(SourceError, match="no commit 'HEAD'"), git.files_at(tmp_path, "HEAD"):
        pass


def test_the_nearest_repository_answers(clone: Path) -> None:
    """Of a repository inside of another one, it is the inner."""
    inner = commit(clone / "model" / "inner", {"b.txt": b"b"})
    assert git.checkout_of(clone / "model" / "inner") == git.Checkout(inner, dirty=False)
    outer = git.checkout_of(clone / "model")
    assert outer is not None
    assert outer.dirty
