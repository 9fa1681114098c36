"""The SDK of today's platform in an environment of its own, which its numpy and protobuf need."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from clarifai_build.progress import no_progress
from clarifai_build.sandbox.engines.interpreters import find_python
from clarifai_build.sandbox.engines.venvs import Recipe, provision
from clarifai_build.util.cache_dir import cache_folder

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements" / "runner.txt"
# The SDK's compiled part has no wheel for a later one.
_MINORS = ("3.11", "3.12", "3.13", "3.10")
# Nothing answers there: what the SDK looks up as it is imported fails at once.
_NOWHERE = "http://127.0.0.1:9"


def sdk_python() -> Path:
    """Return a Python with clarifai and pytest, as pinned; kept in the user's cache."""
    minor, python = next((m, p) for m in _MINORS if (p := find_python(m)))
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    target = cache_folder() / "environments" / f"runner-sdk-{digest}-py{minor}"
    arguments = ("--require-hashes", "-r", str(REQUIREMENTS))
    recipe = Recipe("runner SDK", python, arguments, "check the network and pip's configuration")
    return provision(target, recipe, no_progress) / "bin" / "python"


def sdk_environ(home: Path) -> Mapping[str, str]:
    """Return an environment without the user's account and settings, and without a network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLARIFAI")}
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), _NOWHERE)
    return {
        **kept,
        **proxies,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "HOME": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "builder"), str(ROOT / "tests")]),
    }


def run_sdk(arguments: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    """Run that Python to its end."""
    return subprocess.run(
        [str(sdk_python()), *arguments],
        env=sdk_environ(home),
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
