"""Submodules below a model's folder, and what a sparse checkout leaves out: packed, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.artifact.layout import gather
from clarifai_build.errors import SourceError
from clarifai_build.util import git
from clarifai_build.util.vcs.process import GitError
from clarifai_build.validation.load import examine
from support import clones
from support.clones import commit
from support.light_platform import INFERENCE
from support.trees import manifest_of

MANIFEST = b"model: {id: m, type: text-to-text}\n"
MODEL = {"m/clarifai.yaml": MANIFEST, "m/inference.py": INFERENCE.encode()}


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository whose model has a submodule, which has one of its own."""
    inner, outer, origin = (tmp_path / name for name in ("inner", "outer", "origin"))
    for folder in (inner, outer, origin):
        folder.mkdir()
    commit(inner, {"inner.py": b"inner"})
    commit(outer, {"outer.py": b"outer"})
    clones.git(outer, "submodule", "add", "-q", str(inner), "inner")
    commit(outer, {})
    commit(origin, MODEL)
    clones.git(origin, "submodule", "add", "-q", str(outer), "m/sub")
    clones.git(origin, "submodule", "update", "-q", "--init", "--recursive")
    commit(origin, {})
    return origin


def clone_of(origin: Path, *options: str) -> Path:
    """Clone as CI does, without submodules if no option says more."""
    clones.git(origin.parent, "clone", "-q", *options, str(origin), "clone")
    return origin.parent / "clone"


def codes(folder: Path) -> list[tuple[str, str]]:
    """Return what `validate` finds, by code and file."""
    problems = examine(folder / "clarifai.yaml", {}, offline=True).problems
    return [(one.code, Path(one.file or "").name) for one in problems]


def test_a_submodule_comes_back_with_its_files(origin: Path) -> None:
    """At the commits that the revision has of it and of those within it."""
    first = clones.git(origin, "rev-parse", "HEAD")
    commit(origin / "m" / "sub", {"outer.py": b"changed"})
    commit(origin, {})
    assert git.checkout_of(origin / "m") == git.Checkout(
        clones.git(origin, "rev-parse", "HEAD"), dirty=False
    )
    for revision, expected in ((first, "outer"), ("HEAD", "changed")):
        with git.files_at(origin / "m", revision) as there:
            assert (there / "sub" / "outer.py").read_text() == expected
            assert (there / "sub" / "inner" / "inner.py").read_text() == "inner"


@pytest.mark.parametrize("ignore", ["none", "all"])
def test_a_change_in_a_submodule_is_a_change(origin: Path, ignore: str) -> None:
    """Whatever the repository says of it."""
    clones.git(origin, "config", "submodule.m/sub.ignore", ignore)
    (origin / "m" / "sub" / "new.py").write_text("new")
    checkout = git.checkout_of(origin / "m")
    assert checkout is not None
    assert checkout.dirty


def test_a_submodule_that_is_not_initialised_is_refused(origin: Path) -> None:
    """Before anything is packed, with the way out."""
    clone = clone_of(origin)
    assert codes(clone / "m") == [("submodule-empty", "sub")]
    with pytest.raises(SourceError, match="sub is a submodule that is not initialised") as raised:
        gather({}, manifest_of(clone / "m"))
    assert "git submodule update --init" in (raised.value.problems[0].hint or "")
    with pytest.raises(GitError, match="not initialised"), git.files_at(clone / "m", "HEAD"):
        pass
    clones.git(clone, "submodule", "update", "-q", "--init")
    assert codes(clone / "m") == [("submodule-empty", "inner")]
    clones.git(clone, "submodule", "update", "-q", "--init", "--recursive")
    assert codes(clone / "m") == []


def test_without_git_a_submodule_is_known_all_the_same(
    origin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slim image has no Git, and the checkout of a runner."""
    clone = clone_of(origin)
    monkeypatch.setenv("PATH", "")
    assert codes(clone / "m") == [("submodule-empty", "sub")]


def test_a_repository_that_was_added_as_a_link_alone_is_refused(tmp_path: Path) -> None:
    """`git add` of a folder that is a repository stores no content, and there is no .gitmodules."""
    origin = tmp_path / "origin"
    commit(origin / "m" / "embedded", {"a.py": b"a"})
    commit(origin, MODEL)
    clone = clone_of(origin)
    assert codes(clone / "m") == [("submodule-empty", "embedded")]


def test_what_a_rule_leaves_out_may_be_missing(origin: Path) -> None:
    """It would not have been packed."""
    clone = clone_of(origin)
    (clone / "m" / ".clarifaiignore").write_text("sub/\n")
    assert codes(clone / "m") == []


def test_an_empty_folder_of_ones_own_is_nothing(origin: Path) -> None:
    """Git knows nothing of it."""
    (origin / "m" / "empty").mkdir()
    assert codes(origin / "m") == []


def test_files_outside_of_a_sparse_checkout_are_refused(tmp_path: Path) -> None:
    """The artifact would lack them; one that was removed by hand is a change like any other."""
    commit(tmp_path, {**MODEL, "m/deep/b.py": b"b", "m/c.py": b"c"})
    clones.git(tmp_path, "sparse-checkout", "set", "--no-cone", "/m/*", "!/m/deep/")
    (tmp_path / "m" / "c.py").unlink()
    assert codes(tmp_path / "m") == [("not-checked-out", "b.py")]
    (tmp_path / "m" / ".clarifaiignore").write_text("deep/\n")
    assert codes(tmp_path / "m") == []


def test_a_sparse_linked_worktree_is_looked_into(tmp_path: Path) -> None:
    """Its settings lie elsewhere."""
    commit(tmp_path / "main", {**MODEL, "m/deep/b.py": b"b"})
    clones.git(tmp_path / "main", "worktree", "add", "-q", str(tmp_path / "linked"))
    clones.git(tmp_path / "linked", "sparse-checkout", "set", "--no-cone", "/m/*", "!/m/deep/")
    assert codes(tmp_path / "linked" / "m") == [("not-checked-out", "b.py")]
    assert codes(tmp_path / "main" / "m") == []
