"""The account may come from a context of the official CLI alone."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

from clarifai_build.sandbox.endpoints import Endpoints
from conftest import Tool

CONTEXTS = """\
current_context: local
contexts:
  local:
    CLARIFAI_API_BASE: {sandbox.api_base}
    CLARIFAI_USER_ID: {sandbox.user_id}
    CLARIFAI_APP_ID: {sandbox.app_id}
    CLARIFAI_PAT: {sandbox.pat}
"""
MANIFEST = """\
model: {{id: {name}, type: text-to-text}}
storage:
  bucket: {sandbox.bucket}
  endpoint_url: {sandbox.s3_endpoint}
  region: {sandbox.region}
"""
INFERENCE = "class InferenceModel:\n    def predict(self, input_data, inference_parameters): ...\n"


def test_plan_connects_by_the_current_context(
    tool: Tool, sandbox: Endpoints, tmp_path: Path
) -> None:
    """Without a single CLARIFAI_ variable, and the file stays as it was."""
    config = tmp_path / ".config" / "clarifai" / "config"
    config.parent.mkdir(parents=True)
    config.write_text(CONTEXTS.format(sandbox=sandbox))
    before = config.read_bytes()
    folder = tmp_path / "model"
    folder.mkdir()
    manifest = folder / "clarifai.yaml"
    manifest.write_text(MANIFEST.format(name=f"m{uuid.uuid4().hex[:8]}", sandbox=sandbox))
    (folder / "inference.py").write_text(INFERENCE)
    environ = {key: value for key, value in tool.environ.items() if "CLARIFAI_" not in key}

    def plan(home: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "clarifai_build", "plan", str(manifest)],
            env={**environ, "HOME": str(home)},
            capture_output=True,
            text=True,
        )

    planned = plan(tmp_path)
    assert planned.returncode == 0, planned.stderr
    assert sandbox.pat not in planned.stdout + planned.stderr
    assert config.read_bytes() == before
    assert plan(tmp_path / "nowhere").returncode == 4
