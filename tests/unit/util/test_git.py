"""What Git knows of a folder, and its files at another commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from clarifai_build.errors import SourceError
from clarifai_build.util import git
from clarifai_build.util.vcs.process import GitError


def run(folder: Path, *arguments: str) -> str:
    """Run Git in a folder."""
    who = ["-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with one commit, in which the model is a folder."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a.txt").write_text("one\n")
    (tmp_path / "other.txt").write_text("other\n")
    run(tmp_path, "init", "-q")
    run(tmp_path, "add", "-A")
    run(tmp_path, "commit", "-qm", "one")
    return tmp_path


def test_a_clean_checkout_is_clean(clone: Path) -> None:
    """What is built into `dist` or changed elsewhere does not make a model's folder dirty."""
    commit = run(clone, "rev-parse", "HEAD")
    (clone / "model" / "dist").mkdir()
    (clone / "model" / "dist" / "m.zip").write_text("zip")
    (clone / "other.txt").write_text("changed\n")
    assert git.checkout_of(clone / "model") == git.Checkout(commit, dirty=False)
    (clone / "model" / "new.txt").write_text("new\n")
    assert git.checkout_of(clone / "model") == git.Checkout(commit, dirty=True)


def test_a_folder_without_commits_has_no_checkout(tmp_path: Path) -> None:
    """Outside a repository, in one without a commit, and without Git itself."""
    assert git.checkout_of(tmp_path) is None
    run(tmp_path, "init", "-q")
    assert git.checkout_of(tmp_path) is None
    assert git.commit_of(tmp_path, "HEAD") is None


def test_without_git_a_repository_gives_no_answer(
    clone: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is another thing than no repository, about which nothing needs to be asked."""
    outside = tmp_path_factory.mktemp("outside")
    monkeypatch.setenv("PATH", "")
    assert git.checkout_of(outside) is None
    assert git.remote_of(outside) == ""
    assert git.tracked(outside) == git.names(outside) == []
    with pytest.raises(SourceError, match="no Git repository"), git.files_at(outside, "HEAD"):
        pass
    for ask in (git.checkout_of, git.remote_of, git.tracked, git.names):
        with pytest.raises(GitError, match="can't be started") as raised:
            ask(clone)
        assert raised.value.problems[0].code == "git-missing"
    with pytest.raises(GitError, match="can't be started"), git.files_at(clone, "HEAD"):
        pass


def test_a_remote_has_a_url(clone: Path) -> None:
    """That of `origin` alone."""
    assert git.remote_of(clone) == ""
    run(clone, "remote", "add", "upstream", "https://example.com/no.git")
    assert git.remote_of(clone) == ""
    run(clone, "remote", "add", "origin", "https://example.com/yes.git")
    assert git.remote_of(clone) == "https://example.com/yes.git"


def test_only_commits_are_named(clone: Path) -> None:
    """A tag leads to one; an option or a file is none."""
    commit = run(clone, "rev-parse", "HEAD")
    run(clone, "tag", "-am", "x", "v1")
    assert {git.commit_of(clone, name) for name in ("HEAD", "main", "v1", commit[:8])} == {commit}
    for name in ("nonsense", "--all", "HEAD:other.txt", ""):
        assert git.commit_of(clone, name) is None


@pytest.mark.parametrize("below", ["model", "."])
def test_files_come_out_as_they_were(clone: Path, below: str) -> None:
    """Of the folder alone; the working tree and the index stay as they are."""
    (clone / "model" / "a.txt").write_text("two\n")
    run(clone, "add", "-A")
    before = run(clone, "status", "--porcelain")
    with git.files_at(clone / below, "HEAD") as there:
        files = {file.relative_to(there).as_posix() for file in there.rglob("*") if file.is_file()}
        read = (there / ("a.txt" if below == "model" else "model/a.txt")).read_text()
    assert files == ({"a.txt"} if below == "model" else {"model/a.txt", "other.txt"})
    assert read == "one\n"
    assert not there.exists()
    assert run(clone, "status", "--porcelain") == before


def test_a_revision_that_is_not_there_is_named(clone: Path, tmp_path: Path) -> None:
    """A shallow clone may lack it: the way out tells."""
    named = pytest.raises(SourceError, match="no commit 'nonsense'")
    with named as raised, git.files_at(clone, "nonsense"):
        pass
    assert "git log" in (raised.value.problems[0].hint or "")
    run(clone, "commit", "-q", "--allow-empty", "-m", "two")
    shallow = tmp_path / "shallow"
    run(tmp_path, "clone", "-q", "--depth", "1", f"file://{clone}", str(shallow))
    with pytest.raises(SourceError) as raised, git.files_at(shallow, "HEAD~1"):
        pass
    assert "--unshallow" in (raised.value.problems[0].hint or "")


def test_a_folder_that_is_not_in_the_commit_fails(clone: Path) -> None:
    """Git's last words are told."""
    (clone / "new").mkdir()
    with pytest.raises(SourceError) as raised, git.files_at(clone / "new", "HEAD"):
        pass
    assert raised.value.problems[0].code == "git-failed"
    assert "git read-tree failed" in str(raised.value)
