"""`lock`: pins are written, compared, and renewed only where that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clarifai_build.provenance import lock
from clarifai_build.provenance.lock import LockError
from support.command_line import command
from support.light_platform import INFERENCE

DIGEST = "ab" * 32
MANIFEST = f"""
model: {{id: lines, type: text-to-text}}
weights:
  - {{to: w.bin, from: "s3://bucket/w.bin", sha256: {DIGEST}}}
"""


@pytest.fixture
def manifest(home: Path) -> Path:
    """A model without requirements, with one weight that is not fetched."""
    (home / "inference.py").write_text(INFERENCE)
    (home / "clarifai.yaml").write_text(MANIFEST)
    return home / "clarifai.yaml"


def test_pins_are_written_beside_the_manifest(manifest: Path) -> None:
    """How many is told; what the lock is called is on stdout."""
    ran = command("lock")
    assert (ran.code, ran.out) == (0, f"{manifest.with_suffix('.lock')}\n")
    assert "pinned 0 packages and 1 weights" in ran.err
    made = lock.read(manifest.with_suffix(".lock"))
    assert made is not None
    assert dict(made.weights) == {"w.bin": DIGEST}


def test_checking_writes_nothing(manifest: Path) -> None:
    """It fails where there is no lock, or one that is out of date."""
    with pytest.raises(LockError):
        command("lock", "--check")
    assert not manifest.with_suffix(".lock").exists()
    command("lock")
    before = manifest.with_suffix(".lock").read_bytes()
    ran = command("lock", "--check")
    assert (ran.code, ran.out) == (0, "")
    assert "is up to date" in ran.err
    manifest.write_text(MANIFEST.replace(DIGEST, "cd" * 32))
    with pytest.raises(LockError):
        command("lock", "--check")
    assert manifest.with_suffix(".lock").read_bytes() == before
    command("lock")
    assert command("lock", "--check").code == 0


def test_pins_stay_unless_they_are_to_be_renewed(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock that is there is what pins are taken from; `--upgrade` alone renews them."""
    real, asked = lock.make, []

    def make(found: Any, before: lock.Lock | None, *, upgrade: bool) -> lock.Lock:
        asked.append((before is not None, upgrade))
        return real(found, before, upgrade=upgrade)

    monkeypatch.setattr(lock, "make", make)
    command("lock")
    command("lock")
    command("lock", "--upgrade")
    assert asked == [(False, False), (True, False), (True, True)]


def test_packages_are_counted_without_their_hashes(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pin goes on over lines, and comments are none."""
    pins = ("# made by uv", "numpy==2.0 \\", "    --hash=sha256:aa", "pillow==1.0", "    # via x")
    made = lock.make(lock_of(manifest), None, upgrade=False)
    requirements = lock.Requirements("s", "3.11", "linux", pins)
    pinned = lock.Lock(
        *(made.tool, made.template, made.template_sha256, made.runtime_sha256),
        made.weights,
        requirements,
    )
    monkeypatch.setattr(lock, "make", lambda *_, **__: pinned)
    assert "pinned 2 packages and 1 weights" in command("lock").err


def lock_of(manifest: Path) -> Any:
    """Return the manifest, loaded."""
    from clarifai_build.validation.load import load

    return load(manifest, {}, offline=True)
