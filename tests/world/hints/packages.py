"""Ways out where a package is missing here, or requirements can't be pinned."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.command_line import World
from support.following import fine, live, told
from support.wheels import wheel
from world.hints.platform import Following


def requiring(world: World, *lines: str) -> Path:
    """Write a model with requirements, of which `alpha` can be had; return its manifest."""
    wheels = world.folder.parent / "wheels"
    wheel(wheels, "alpha", "1.0")
    manifest = world.model(at=".")
    Path("requirements.txt").write_text("\n".join(("--no-index", f"--find-links {wheels}", *lines)))
    manifest.write_text(f"{manifest.read_text()}code: {{requirements: requirements.txt}}\n")
    return manifest


def pinned() -> None:
    """Find that `lock` pins, and that its pins hold."""
    fine("lock")
    fine("lock", "--check")
    assert "alpha==1.0" in Path("clarifai.lock").read_text()


def uv_missing(world: World, variables: pytest.MonkeyPatch) -> None:
    """With what pip brings, the requirements are pinned."""
    requiring(world, "alpha")
    with variables.context() as without:
        without.setitem(sys.modules, "uv", None)
        without.setenv("PATH", str(world.folder))
        assert "pip install 'clarifai-build[lock]'" in told("uv-missing", "lock")
    pinned()


def requirements_unresolved(world: World, _variables: pytest.MonkeyPatch) -> None:
    """What conflicts is loosened, and a name is corrected."""
    requiring(world, "alpha>7")
    assert "loosen what conflicts, or correct the names" in told("requirements-unresolved", "lock")
    requiring(world, "alfa")
    told("requirements-unresolved", "lock")
    requiring(world, "alpha")
    pinned()


def requirement_credentials(world: World, _variables: pytest.MonkeyPatch) -> None:
    """Another place, which needs none."""
    word = "made" + "-up"
    manifest = requiring(
        world, f"--extra-index-url https://deploy:{word}@h.example/simple", "alpha"
    )
    assert "in requirements, name a place that anyone can read" in told("secret", "lock")
    manifest.write_text(
        manifest.read_text().replace("code: {", "code: {allow_secrets: [requirements.txt], ")
    )
    said = told("requirement-credentials", "lock")
    assert "name another place" in said
    assert word not in said
    requiring(world, "alpha")
    pinned()


def deflate_missing(world: World, variables: pytest.MonkeyPatch) -> None:
    """Without the key, or with what pip brings."""
    manifest = world.model(at=".")
    text = manifest.read_text()
    manifest.write_text(f"{text}artifact: {{compression: deflate}}\n")
    with variables.context() as without:
        without.setitem(sys.modules, "isal", None)
        said = told("deflate-missing", "build", ".", "-o", "../x.zip")
        assert "or remove `compression` from the manifest" in said
        manifest.write_text(text)
        fine("build", ".", "-o", "../x.zip")
    assert "pip install 'clarifai-build[deflate]'" in said
    manifest.write_text(f"{text}artifact: {{compression: deflate}}\n")
    live()


FOLLOWED: Mapping[str, Following] = {
    "deflate-missing": deflate_missing,
    "requirement-credentials": requirement_credentials,
    "requirements-unresolved": requirements_unresolved,
    "uv-missing": uv_missing,
}
