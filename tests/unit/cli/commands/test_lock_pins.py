"""`lock` with requirements: what is pinned, what stays pinned, and what moves."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from support.command_line import World, ended
from support.light_platform import INFERENCE
from support.trees import write_files
from support.wheels import wheel


@pytest.fixture
def pinned(home: Path) -> Path:
    """A model that needs `alpha` and `beta`, of which there is version 1 alone; it is locked."""
    manifest = b"model: {id: lines, type: text-to-text}\n"
    write_files(home, {"inference.py": INFERENCE.encode(), "clarifai.yaml": manifest})
    lock_two(home)
    return home


def lock_two(folder: Path) -> None:
    """Give the model in a folder two requirements, and lock it."""
    wheels = folder.parent / "wheels"
    for name in ("alpha", "beta"):
        wheel(wheels, name, "1.0")
    text = f"--no-index\n--find-links {wheels}\nalpha\nbeta\n"
    (folder / "requirements.txt").write_text(text)
    assert ended("lock").code == 0


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def lock_of(folder: Path) -> Any:
    """Read what was locked."""
    return json.loads((folder / "clarifai.lock").read_text())


def versions_of(folder: Path) -> list[str]:
    """Return the pins without their hashes."""
    pins = lock_of(folder)["requirements"]["pins"]
    return [pin.split()[0] for pin in pins if not pin.startswith(" ")]


def test_pins_have_versions_and_hashes(pinned: Path) -> None:
    """Those of the wheels there are; what says where they come from is left out."""
    wheels = pinned.parent / "wheels"
    pins = lock_of(pinned)["requirements"]["pins"]
    assert pins == [
        "alpha==1.0 \\",
        f"    --hash=sha256:{sha256(wheels / 'alpha-1.0-py3-none-any.whl')}",
        "beta==1.0 \\",
        f"    --hash=sha256:{sha256(wheels / 'beta-1.0-py3-none-any.whl')}",
    ]
    done = ended("lock")
    assert done.out == f"{pinned / 'clarifai.lock'}\n"
    assert "pinned 2 packages and 0 weights" in done.err


def test_pins_stay_unless_an_upgrade_is_asked_for(pinned: Path) -> None:
    """A newer version is none of a lock's business until it is; then every pin moves."""
    before = (pinned / "clarifai.lock").read_bytes()
    for name in ("alpha", "beta"):
        wheel(pinned.parent / "wheels", name, "2.0")
    assert ended("lock").code == 0
    assert (pinned / "clarifai.lock").read_bytes() == before
    assert ended("lock", "--upgrade").code == 0
    assert versions_of(pinned) == ["alpha==2.0", "beta==2.0"]
    assert ended("lock").code == 0
    assert versions_of(pinned) == ["alpha==2.0", "beta==2.0"]


def test_a_new_requirement_moves_no_other_pin(pinned: Path) -> None:
    """Only what no longer fits is resolved anew."""
    for name in ("alpha", "beta", "gamma"):
        wheel(pinned.parent / "wheels", name, "2.0")
    file = pinned / "requirements.txt"
    file.write_text(file.read_text().replace("beta", "beta>1\ngamma"))
    assert ended("lock").code == 0
    assert versions_of(pinned) == ["alpha==1.0", "beta==2.0", "gamma==2.0"]


def test_what_can_not_be_resolved_is_said_and_the_lock_stays(pinned: Path) -> None:
    """In the resolver's words, with the Python and the platform it is for."""
    before = (pinned / "clarifai.lock").read_bytes()
    with (pinned / "requirements.txt").open("a") as file:
        file.write("alpha>7\n")
    done = ended("lock")
    assert done.code == 3
    assert "requirements-unresolved" in done.err
    assert "alpha" in done.err
    assert "manylinux" in done.err
    assert (pinned / "clarifai.lock").read_bytes() == before


def test_check_writes_nothing(pinned: Path) -> None:
    """It says whether the lock is up to date, and what to do where it is not."""
    done = ended("lock", "--check")
    assert (done.code, done.out) == (0, "")
    assert "clarifai.lock is up to date" in done.err
    before = (pinned / "clarifai.lock").read_bytes()
    with (pinned / "requirements.txt").open("a") as file:
        file.write("alpha<7\n")
    moved = ended("lock", "--check")
    assert moved.code == 3
    assert "lock-requirements" in moved.err
    assert (pinned / "clarifai.lock").read_bytes() == before
    (pinned / "clarifai.lock").unlink()
    assert ended("lock", "--check").code == 3
    assert not (pinned / "clarifai.lock").exists()


def test_a_lock_that_was_edited_is_not_built_upon(pinned: Path) -> None:
    """Neither with nor without --upgrade: what it pins is nobody's word."""
    file = pinned / "clarifai.lock"
    file.write_text(file.read_text().replace("alpha==1.0", "alpha==0.9"))
    before = file.read_bytes()
    for flags in ((), ("--upgrade",)):
        done = ended("lock", *flags)
        assert done.code == 3
        assert "lock-edited" in done.err
    assert file.read_bytes() == before


def test_a_locked_apply_needs_a_lock_that_fits(world: World) -> None:
    """With it the pins are in the artifact, and the SBOM and its digest are recorded."""
    folder = world.model(at=".").parent
    lock_two(folder)
    done = ended("apply", "--locked", "--json")
    assert done.code == 0, done.err
    (version,) = world.registry.versions("lines")
    (key,) = world.zips()
    assert b"alpha==1.0" in world.bucket.objects[key].body
    sbom = world.bucket.objects[f"{key}.sbom.json"].body
    assert version.recorded.sbom == hashlib.sha256(sbom).hexdigest()
    (folder / "clarifai.lock").unlink()
    (folder / "requirements.txt").write_text("alpha\nbeta\n")
    refused = ended("apply", "--locked")
    assert refused.code == 3
    assert "lock-missing" in refused.err
    assert world.registry.versions("lines") == (version,)
