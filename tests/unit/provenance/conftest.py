"""A model with requirements, and a lock of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clarifai_build.manifest.types import Manifest
from clarifai_build.provenance import requirements
from clarifai_build.provenance.lock import Lock, Requirements
from clarifai_build.targets.toolchain import current_toolchain
from clarifai_build.validation.load import load

PINS = (
    "numpy==1.26.4 \\",
    f"    --hash=sha256:{'a' * 64} \\",
    f"    --hash=sha256:{'b' * 64}",
    "ruamel.yaml[jinja2]==0.18.6 ; python_version < '4' \\",
    f"    --hash=sha256:{'c' * 64}",
)
ENDPOINT = "https://store.example/path?X-Signature=hunter3"


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """A model with requirements, in a folder of its own."""
    (tmp_path / "clarifai.yaml").write_text(
        "model: {id: words, type: text-to-text}\n"
        "storage: {bucket: models, endpoint_url: '${env:ENDPOINT}'}\n"
    )
    (tmp_path / "inference.py").write_text("class InferenceModel:\n    def predict(self): ...\n")
    (tmp_path / "requirements.txt").write_text("-r base.txt\nnumpy<2\n")
    (tmp_path / "base.txt").write_text("ruamel.yaml\n")
    loaded = load(tmp_path, {"ENDPOINT": ENDPOINT.partition("?")[0]})
    assert loaded.storage
    # A query is refused there; records would not show it either.
    return replace(loaded, storage=replace(loaded.storage, endpoint_url=ENDPOINT))


@pytest.fixture
def lock(manifest: Manifest) -> Lock:
    """A lock of that model, whose pins were made up here."""
    source = manifest.code.requirements
    assert source
    pins = Requirements(requirements.digest(source), "3.11", requirements.PLATFORM, PINS)
    return Lock(**current_toolchain(), weights={}, requirements=pins)
