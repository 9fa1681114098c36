"""Commands in a folder whose files programs would take for their own, from an odd shell."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clarifai_build.progress import no_progress
from clarifai_build.sandbox import lifecycle
from clarifai_build.sandbox.engines.venvs import Recipe, provision
from support.sandbox_client import Api, s3, text
from support.trees import write_files
from support.wheels import wheel

TOOL = Path(sys.executable).with_name("clarifai-build")
RAISES = b"raise SystemExit('taken from the folder one stands in')\n"
PYTHON = ("1/model", "numpy", "json", "grpc", "yaml", "pytest", "sitecustomize", "clarifai_runtime")
TRAPS = {
    **{f"{name}.py": RAISES for name in PYTHON},
    # As in a repository of an old SDK: a package goes before a folder without this file.
    "1/__init__.py": b"",
    # Where SeaweedFS finds them, every request wants a signed token, and metadata go elsewhere.
    "security.toml": b'[jwt.signing]\nkey = "x"\n[jwt.signing.read]\nkey = "x"\n',
    "filer.toml": b'[redis2]\nenabled = true\naddress = "127.0.0.1:1"\n',
    # Each shell reads it that is told to by BASH_ENV; Triton starts Python by one.
    "bash_env": b"export LEAKED=canary-0123456789\n",
}
CANARY = "canary-0123456789"
MANIFEST = b"model: {id: echo, type: text-to-text}\n"
INFERENCE = b"""from clarifai_runtime import TextOutput, get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data, **kwargs):
        return [TextOutput(predicted_text=text) for text in input_data]
"""


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that nobody should stand in, and that many do."""
    return write_files(tmp_path_factory.mktemp("traps"), TRAPS)


@pytest.fixture(scope="module")
def trapped(traps: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A sandbox that was started there, with a token at hand, umask 0 and an open file."""
    state = tmp_path_factory.mktemp("trapped")
    environ = {
        **os.environ,
        "GITHUB_TOKEN": CANARY,
        "AWS_SECRET_ACCESS_KEY": CANARY,
        "WEED_JWT_SIGNING_KEY": CANARY,
        "BASH_ENV": str(traps / "bash_env"),
        "LD_LIBRARY_PATH": f":{os.environ.get('LD_LIBRARY_PATH', '')}",
    }
    with (traps / "open").open("w") as opened:
        done = subprocess.run(
            [TOOL, "sandbox", "up", "--state", state],
            cwd=traps,
            env=environ,
            umask=0,
            pass_fds=(opened.fileno(),),
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    yield state
    lifecycle.down(state)


def test_a_model_answers_with_its_own_code(trapped: Path) -> None:
    """Wherever the sandbox was started, S3 serves its zip, and Triton's Python imports it."""
    endpoints = lifecycle.status(trapped).endpoints
    assert endpoints is not None
    api = Api(endpoints)
    model_id, version = api.deploy("text-to-text")
    assert version.status.code == 21100, version.status
    (output,) = api.predict(model_id, text("abc")).outputs
    assert output.data.text.raw == "cba"
    assert s3(endpoints).list_buckets()["Buckets"]


def descendants(pid: int) -> Iterator[Path]:
    """Yield a process and its descendants, as folders of /proc."""
    yield Path("/proc", str(pid))
    for task in Path("/proc", str(pid), "task").iterdir():
        for child in (task / "children").read_text().split():
            yield from descendants(int(child))


def test_no_process_has_anything_of_the_shell(trapped: Path, traps: Path) -> None:
    """Each server stands in an empty folder of its own, and holds neither token nor file."""
    pid = lifecycle.status(trapped).pid
    assert pid is not None
    processes = list(descendants(pid))
    assert len(processes) >= 4
    for process in processes:
        folder = (process / "cwd").readlink()
        assert folder.is_relative_to(trapped)
        assert list(folder.iterdir()) == []
        assert CANARY.encode() not in (process / "environ").read_bytes()
        assert "Umask:\t0077" in (process / "status").read_text()
        opened = [link.readlink() for link in (process / "fd").iterdir() if link.is_symlink()]
        assert traps / "open" not in opened


def test_what_the_sandbox_keeps_is_its_users(trapped: Path) -> None:
    """A umask of 0 leaves no file in it that others may write to."""
    made = [path for path in trapped.rglob("*") if not path.is_symlink() and path.is_file()]
    assert trapped / "data" / "api.sqlite" in made
    assert [path for path in made if path.stat().st_mode & 0o022] == []


def test_a_model_is_tested_with_its_own_code(traps: Path, tmp_path: Path) -> None:
    """In a real Triton, from a folder that has a `1/model.py` of another."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = f"code: {{python: '{version}'}}\n".encode()
    files = {"clarifai.yaml": MANIFEST + python, "inference.py": INFERENCE}
    manifest = write_files(tmp_path, files) / "clarifai.yaml"
    done = subprocess.run(
        [TOOL, "test", "--triton", manifest], cwd=traps, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout


def test_paths_in_requirements_do_not_depend_on_it(
    traps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`./mine.whl` is the model's, though there is one where one stands, too."""
    wheel(tmp_path, "mine", "1.0")
    name = "mine-1.0-py3-none-any.whl"
    (traps / name).write_bytes(b"another")
    (tmp_path / "requirements.txt").write_text(f"./{name}\n")
    monkeypatch.chdir(traps)
    here = Path(sys.executable)
    arguments = ("--no-index", "-r", str(tmp_path / "requirements.txt"))
    recipe = Recipe("test", here, arguments, "", pip_of=here, folder=tmp_path)
    provision(tmp_path / "made", recipe, no_progress)
    assert list(tmp_path.glob("made/lib/*/site-packages/mine-1.0.dist-info"))
