"""The commit that an apply records is the one that its artifact is made from, or none is."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.errors import SourceError, UsageError
from support import clones
from support.command_line import World, command, ended


@pytest.fixture
def manifest(world: World) -> Path:
    """A model that is committed."""
    path = world.model()
    clones.commit(world.folder, {})
    return path


def test_a_model_with_a_submodule_verifies_from_its_commit(world: World, tmp_path: Path) -> None:
    """Right after it was applied."""
    clones.commit(tmp_path / "library", {"library.py": b"x = 1\n"})
    manifest = world.model()
    clones.git(world.folder, "init", "-q")
    clones.git(world.folder, "submodule", "add", "-q", str(tmp_path / "library"), "lines/library")
    clones.commit(world.folder, {})
    command("apply", manifest)
    assert command("verify", manifest, "--commit").code == 0


def test_a_hook_of_a_linked_worktree_records_a_clean_commit(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its variables are about the repository that it runs for; `diff` finds the manifest, too."""
    world.model()
    clones.commit(world.folder, {"lines/a.py": b"a = 1\n"})
    clones.commit(world.folder, {"lines/a.py": b"a = 2\n"})
    head = clones.commit(world.folder, {"lines/a.py": b"a = 3\n"})
    linked = tmp_path / "linked"
    clones.git(world.folder, "worktree", "add", "-q", str(linked), "-b", "linked")
    own = world.folder / ".git" / "worktrees" / "linked"
    monkeypatch.setenv("GIT_DIR", str(own))
    monkeypatch.setenv("GIT_INDEX_FILE", str(own / "index"))
    monkeypatch.chdir(linked)
    command("apply", "lines")
    recorded = [one.recorded for one in world.registry.versions("lines")]
    assert [(one.commit, one.dirty) for one in recorded] == [(head, False)]
    ran = ended("diff", "HEAD~2", "-f", "lines", "--json")
    assert (ran.code, ran.err if ran.code else "") == (0, "")
    assert [file["path"] for file in ran.json["files"]] == ["1/a.py"]


@pytest.mark.parametrize("name", ["validate", "build", "apply"])
def test_a_submodule_that_is_not_initialised_stops_a_command(
    world: World, tmp_path: Path, name: str
) -> None:
    """CI checks out without submodules: the model would lack their files."""
    clones.commit(tmp_path / "library", {"library.py": b"x = 1\n"})
    world.model()
    clones.git(world.folder, "init", "-q")
    clones.git(world.folder, "submodule", "add", "-q", str(tmp_path / "library"), "lines/library")
    clones.commit(world.folder, {})
    clone = tmp_path / "clone"
    clones.git(tmp_path, "clone", "-q", str(world.folder), str(clone))
    ran = ended(name, clone / "lines" / "clarifai.yaml")
    assert (ran.code, "submodule-empty" in ran.out + ran.err) == (3, True)
    assert world.wrote() == []


def test_without_an_answer_of_git_no_commit_is_recorded(
    world: World, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is said, and the model is applied; what needs the commit says so, too."""
    with monkeypatch.context() as patch:
        patch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        ran = command("apply", manifest, "--json")
        told = ended("diff", "HEAD", "-f", manifest)
    (warning,) = ran.json["warnings"]
    assert (ran.code, warning["code"]) == (0, "git-refuses")
    assert "safe.directory" in warning["hint"]
    assert "git-refuses" in told.err
    assert told.code == SourceError.exit_code
    unknown = ended("verify", manifest, "--commit")
    assert (unknown.code, "commit-unknown" in unknown.err) == (UsageError.exit_code, True)


def test_a_version_can_be_named_where_git_does_not_answer(
    world: World, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By how its digest begins, which might have been a revision."""
    command("apply", manifest)
    (version,) = world.registry.versions("lines")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    name = str(version.artifact_digest)[:12]
    assert command("diff", name, "-f", manifest, "--exit-code").code == 0


@pytest.mark.parametrize("name", ["extra.py", "clarifai.yaml"])
def test_what_git_ignores_and_the_artifact_is_made_from_is_no_part_of_a_commit(
    world: World, name: str
) -> None:
    """The version is recorded as made from more than its commit."""
    manifest = world.model()
    (manifest.parent / "extra.py").write_text("x = 1\n")
    clones.commit(world.folder, {".gitignore": f"{name}\n__pycache__/\n".encode()})
    (manifest.parent / "__pycache__").mkdir()
    (manifest.parent / "__pycache__" / "x.pyc").write_text("")
    command("apply", manifest)
    assert [one.recorded.dirty for one in world.registry.versions("lines")] == [True]


def test_a_clean_checkout_is_recorded_as_clean(world: World, manifest: Path) -> None:
    """Caches that Git ignores are not packed, and a file under a link is known."""
    (manifest.parent / "real").mkdir()
    (manifest.parent / "real" / "a.py").write_text("a = 1\n")
    (manifest.parent / "link").symlink_to("real")
    head = clones.commit(world.folder, {".gitignore": b"__pycache__/\n"})
    (manifest.parent / "__pycache__").mkdir()
    (manifest.parent / "__pycache__" / "x.pyc").write_text("")
    command("apply", manifest)
    recorded = [one.recorded for one in world.registry.versions("lines")]
    assert [(one.commit, one.dirty) for one in recorded] == [(head, False)]


def test_a_revision_that_a_shallow_clone_lacks_is_no_version(world: World) -> None:
    """`diff HEAD~1` in CI says what is missing, and asks no platform for a version called so."""
    manifest = world.model()
    assert "is in no Git repository" in ended("diff", "HEAD~1", "-f", manifest).err
    clones.commit(world.folder, {})
    clones.commit(world.folder, {"a.txt": b""})
    shallow = world.folder / "shallow"
    clones.git(world.folder, "clone", "-q", "--depth=1", world.folder.as_uri(), str(shallow))
    for name in ("HEAD~1", "HEAD^", "HEAD@{9}", "origin/other"):
        assert "fetch-depth 0" in ended("diff", name, "-f", shallow / "lines" / manifest.name).err
    assert world.platform.calls == []
