"""`lock`: pins are written, compared, and renewed only where that is asked for."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.digests.known import KnownContent
from clarifai_build.provenance import lock
from clarifai_build.provenance.lock import LockError
from clarifai_build.util import cache_dir
from support.command_line import command
from support.light_platform import INFERENCE
from support.trees import write_files

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

    def make(found: Any, before: lock.Lock | None, known: Any, *, upgrade: bool) -> lock.Lock:
        asked.append((before is not None, upgrade))
        return real(found, before, known, upgrade=upgrade)

    monkeypatch.setattr(lock, "make", make)
    command("lock")
    command("lock")
    command("lock", "--upgrade")
    assert asked == [(False, False), (True, False), (True, True)]


def test_weights_that_are_here_are_locked_with_size_and_sums(manifest: Path) -> None:
    """So other machines know them; the sums stay where the weight is gone, and another's go."""
    content = b"weights" * 100
    digest = hashlib.sha256(content).hexdigest()
    local = f"  - {{to: here.bin, from: here.bin, sha256: '{digest}'}}\n"
    (manifest.parent / "here.bin").write_bytes(content)
    manifest.write_text(MANIFEST.rstrip("\n") + "\n" + local)
    ran = command("lock")
    assert "not on this machine, so without size and checksums: w.bin" in ran.err
    known = {digest: KnownContent(digest, len(content), (zlib.crc32(content),))}
    assert contents(manifest) == known
    assert json.loads(manifest.with_suffix(".lock").read_text())["format"] == 2
    (manifest.parent / "here.bin").unlink()
    command("lock")
    assert contents(manifest) == known
    assert command("lock", "--check").code == 0
    (manifest.parent / "here.bin").write_bytes(b"another")
    manifest.write_text(manifest.read_text().replace(digest, "ef" * 32))
    command("lock")
    assert contents(manifest) == {}
    # Which older tools read, too.
    assert json.loads(manifest.with_suffix(".lock").read_text())["format"] == 1


def test_a_weight_that_was_fetched_is_locked_as_it_was_kept(manifest: Path, tmp_path: Path) -> None:
    """Nothing is fetched for it, and what a build has read is not read again."""
    content = b"fetched" * 100
    digest = hashlib.sha256(content).hexdigest()
    kept = cache_dir.weights_folder() / digest
    write_files(kept.parent, {digest: content})
    manifest.write_text(MANIFEST.replace(DIGEST, digest))
    assert "without size" not in command("lock").err
    assert contents(manifest)[digest].size == len(content)


def contents(manifest: Path) -> dict[str, KnownContent]:
    """Return what the lock says of contents."""
    found = lock.read(manifest.with_suffix(".lock"))
    assert found is not None
    return dict(found.contents)


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
