"""Every process that a command starts, seen by an audit hook: none is handed a credential."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clarifai_build.util.tokens.variables import CREDENTIALS, TOKENS
from support.trees import write_files

CANARY = "canary-0123456789"
WATCHED = """
import json, os, sys

def watch(event, details):
    if event == "subprocess.Popen":
        environ = os.environ if details[3] is None else details[3]
        seen = [name for name, value in environ.items() if "canary" in os.fsdecode(value)]
        with open(sys.argv[1], "a") as log:
            log.write(json.dumps([list(map(os.fsdecode, details[1])), seen]) + chr(10))

sys.addaudithook(watch)
from clarifai_build.cli.main import main
sys.exit(main(sys.argv[2:]))
"""
MANIFEST = """model: {id: echo, type: text-to-text}
storage: {bucket: models}
"""
INFERENCE = """from clarifai_runtime import TextOutput, get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data, **kwargs):
        return [TextOutput(predicted_text=text) for text in input_data]
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small model in a Git repository."""
    folder = tmp_path / "model"
    files = {
        "clarifai.yaml": MANIFEST,
        "inference.py": INFERENCE,
        "requirements.txt": "numpy\n",
    }
    write_files(folder, {name: text.encode() for name, text in files.items()})
    for arguments in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return folder


def children(model: Path, *command: str) -> dict[str, set[str]]:
    """Run a command with canaries in place of credentials; return what each program was handed."""
    log = model.parent / "children.jsonl"
    log.unlink(missing_ok=True)
    environ = {**os.environ, **dict.fromkeys(CREDENTIALS, CANARY)}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(log), *command],
        cwd=model,
        env={**environ, "HOME": str(model.parent)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, set[str]] = {}
    for line in log.read_text().splitlines():
        arguments, seen = json.loads(line)
        found.setdefault(Path(arguments[0]).name, set()).update(seen)
    return found


def test_git_gets_no_credentials(model: Path) -> None:
    """A build asks Git which commit it is made from."""
    seen = children(model, "build", "--output", "made.zip")
    assert seen == {"git": set()}


def test_uv_gets_no_credentials(model: Path) -> None:
    """It may build packages from their source to learn what they need."""
    assert children(model, "lock")["uv"] == set()


def test_a_second_build_gets_no_token(model: Path) -> None:
    """`build --check` builds in a child, which may have to read weights from a bucket."""
    seen = children(model, "build", "--check")
    (python,) = (found for name, found in seen.items() if name.startswith("python"))
    assert python == set(CREDENTIALS) - set(TOKENS)


def test_pip_and_the_models_tests_get_no_credentials(model: Path) -> None:
    """pip runs the build scripts of foreign packages; 1/test.py runs the model's code."""
    seen = children(model, "test")
    assert any(name.startswith("python") for name in seen)
    assert {name: found for name, found in seen.items() if found} == {}
