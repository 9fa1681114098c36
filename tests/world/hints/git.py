"""Ways out around Git, Git LFS and DVC."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from support import clones
from support.command_line import World, ended
from support.following import fine, live, told, warned
from world.hints.platform import Following

WEIGHT = b"x"
DIGEST = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{DIGEST}\nsize 1\n".encode()


def pointer(code: str, name: str, content: bytes, command: str) -> Following:
    """Return both ways out of a file that stands for another: pulled, or named as a weight."""

    def follow(world: World, _variables: pytest.MonkeyPatch) -> None:
        manifest = world.model(at=".")
        Path(name).write_bytes(content)
        said = told(code, "build", ".", "-o", "../x.zip")
        assert command in said
        assert "name the weights under `weights:`" in said
        Path("w.bin").write_bytes(WEIGHT)  # as the command leaves it
        live()
        Path("w.bin").unlink()
        Path(name).write_bytes(content)
        world.bucket.put("w", WEIGHT)
        address = f"{world.bucket.endpoint}/bucket/w"
        weight = f"weights: [{{to: w.bin, from: {address}, sha256: {DIGEST}}}]\n"
        manifest.write_text(manifest.read_text() + weight)
        assert "leave it out by a line in .clarifaiignore" in said
        Path(".clarifaiignore").write_text(f"/{name}\n")
        live()

    return follow


def submodule_empty(world: World, variables: pytest.MonkeyPatch) -> None:
    """Git brings it, or a line leaves it out."""
    inner, origin = world.folder.parent / "inner", world.folder.parent / "origin"
    for folder in (inner, origin):
        folder.mkdir()
    clones.commit(inner, {"inner.py": b""})
    world.model(at="m")
    files = {path.name: path.read_bytes() for path in Path("m").iterdir()}
    clones.commit(origin, files)
    clones.git(origin, "submodule", "add", "-q", str(inner), "sub")
    clones.commit(origin, {})
    clones.git(world.folder, "clone", "-q", str(origin), "clone")
    variables.chdir("clone")
    said = told("submodule-empty", "validate")
    assert ".clarifaiignore" in said
    Path(".clarifaiignore").write_text("/sub\n")
    fine("validate")
    Path(".clarifaiignore").unlink()
    assert "`git submodule update --init --recursive`" in said
    clones.git(Path.cwd(), "submodule", "update", "--init", "--recursive")
    live()
    assert "sub/inner.py" in ended("build", "--list").out


def not_checked_out(world: World, variables: pytest.MonkeyPatch) -> None:
    """Git checks the folder out, or a line leaves it out."""
    origin = world.folder.parent / "origin"
    world.model(at="m")
    files = {path.name: path.read_bytes() for path in Path("m").iterdir()}
    clones.commit(origin, {**files, "data/x.bin": b"x"})
    clones.git(world.folder, "clone", "-q", str(origin), "clone")
    variables.chdir("clone")
    clones.git(Path.cwd(), "sparse-checkout", "set", "--no-cone", "/*", "!/data/")
    said = told("not-checked-out", "validate")
    assert "`git sparse-checkout add`" in said
    assert ".clarifaiignore" in said
    Path(".clarifaiignore").write_text("/data\n")
    fine("validate")
    Path(".clarifaiignore").unlink()
    clones.git(Path.cwd(), "sparse-checkout", "disable")
    live()


def lfs_pointer_broken(world: World, _variables: pytest.MonkeyPatch) -> None:
    """Git has it as it was, and is told to bring its content; or the file itself is there."""
    world.model(at=".")
    clones.commit(Path.cwd(), {"w.bin": POINTER})
    spoilt = POINTER.replace(b"size ", b"size x")
    Path("w.bin").write_bytes(spoilt)
    assert "`git checkout -- FILE`" in told("lfs-pointer-broken", "plan")
    clones.git(Path.cwd(), "checkout", "--", "w.bin")
    told("lfs-pointer", "build", ".", "-o", "../x.zip")
    Path("w.bin").write_bytes(spoilt)
    assert "put the file itself in its place" in told("lfs-pointer-broken", "plan")
    Path("w.bin").write_bytes(WEIGHT)
    live()


def no_git(world: World, _variables: pytest.MonkeyPatch) -> None:
    """Inside of a repository, the revision is found."""
    world.model(at=".")
    live()
    told("no-git", "verify", "--commit", "HEAD")
    clones.commit(Path.cwd(), {})
    fine("verify", "--commit", "HEAD")


def commit_unknown(world: World, _variables: pytest.MonkeyPatch) -> None:
    """A revision that is named."""
    world.model(at=".")
    live()
    clones.commit(Path.cwd(), {})
    assert "name one: --commit REVISION" in told("commit-unknown", "verify", "--commit")
    fine("verify", "--commit", "HEAD")


def no_revision(world: World, _variables: pytest.MonkeyPatch) -> None:
    """The name as it is."""
    world.model(at=".")
    clones.commit(Path.cwd(), {})
    live()
    told("no-revision", "verify", "--commit", "v1.2")
    clones.git(Path.cwd(), "tag", "v1.2")
    fine("verify", "--commit", "v1.2")


def manifest_not_there(world: World, _variables: pytest.MonkeyPatch) -> None:
    """`git log` names a commit that has it."""
    clones.commit(Path.cwd(), {"README": b""})
    world.model(at=".")
    clones.commit(Path.cwd(), {})
    live()
    told("manifest-not-there", "verify", "--commit", "HEAD~1")
    named = clones.git(Path.cwd(), "log", "--format=%H", "--", "clarifai.yaml")
    fine("verify", "--commit", named)


def git_refuses(world: World, _variables: pytest.MonkeyPatch) -> None:
    """Git is told that the folder can be trusted."""
    world.model(at=".")
    clones.commit(Path.cwd(), {})
    for path in (Path.cwd(), Path(".git")):
        os.chown(path, 12345, 12345)
    said = warned("git-refuses", "apply")
    assert "git config --global --add safe.directory" in said
    trusted = f"[safe]\n\tdirectory = {Path.cwd()}\n"  # as the command writes it
    Path(os.environ["HOME"]).mkdir()
    Path(os.environ["HOME"], ".gitconfig").write_text(trusted)
    world.edit("more", model=".")
    assert "git-refuses" not in ended("apply").err
    fine("verify")


def git_missing(world: World, variables: pytest.MonkeyPatch) -> None:
    """With Git there, the commit is recorded."""
    world.model(at=".")
    clones.commit(Path.cwd(), {})
    with variables.context() as without:
        without.setenv("PATH", "/nowhere")
        assert "Git" in warned("git-missing", "apply")
    clones.commit(Path.cwd(), {"more.py": b""})
    live()
    fine("verify", "--commit")


FOLLOWED: Mapping[str, Following] = {
    "commit-unknown": commit_unknown,
    "dvc-pointer": pointer("dvc-pointer", "w.bin.dvc", b"outs:\n- path: w.bin\n", "`dvc pull`"),
    "git-missing": git_missing,
    "git-refuses": git_refuses,
    "lfs-pointer-broken": lfs_pointer_broken,
    "lfs-pointer": pointer("lfs-pointer", "w.bin", POINTER, "`git lfs pull`"),
    "manifest-not-there": manifest_not_there,
    "no-git": no_git,
    "no-revision": no_revision,
    "not-checked-out": not_checked_out,
    "submodule-empty": submodule_empty,
}
