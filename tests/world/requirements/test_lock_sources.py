"""A lock says where its pins come from, so that they can be installed elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from clarifai_build.errors import SourceError
from clarifai_build.provenance import lock
from clarifai_build.provenance.lock_drift import requirements_of
from clarifai_build.validation.load import load
from support.command_line import command
from support.light_platform import INFERENCE
from support.trees import write_files
from support.wheels import wheel

MANIFEST = b"model: {id: lines, type: text-to-text}\n"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """Two indexes, as a folder that is served: of all versions, and of builds for one CUDA."""
    (tmp_path / "web" / "all").mkdir(parents=True)
    (tmp_path / "web" / "cu118").mkdir()
    wheel(tmp_path / "web" / "all" / "alpha", "alpha", "1.0")
    wheel(tmp_path / "web" / "cu118" / "torchlike", "torchlike", "2.1+cu118")
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path / "web"))
    ) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def locked(folder: Path, text: str) -> list[str]:
    """Lock a model with these requirements; return the lines of its pins."""
    files = {"clarifai.yaml": MANIFEST, "inference.py": INFERENCE.encode()}
    write_files(folder, {**files, "requirements.txt": text.encode()})
    command("lock", folder)
    made = lock.read(folder / "clarifai.lock")
    assert made
    assert made.requirements
    return list(made.requirements.pins)


@pytest.mark.parametrize(
    "options",
    [
        "--index-url {index}/all\n--extra-index-url {index}/cu118\n",
        "-i {index}/all --extra-index-url={index}/cu118\n",
    ],
)
def test_pins_of_another_index_can_be_installed(tmp_path: Path, index: str, options: str) -> None:
    """By pip itself, from what the artifact holds alone."""
    folder = tmp_path / "model"
    pins = locked(folder, f"{options.format(index=index)}alpha\ntorchlike==2.1+cu118\n")
    assert pins[:2] == [f"--index-url {index}/all", f"--extra-index-url {index}/cu118"]
    assert "torchlike==2.1+cu118 \\" in pins
    content = requirements_of(load(folder, {}, offline=True))
    assert content is not None
    file = write_files(tmp_path / "platform", {"requirements.txt": content}) / "requirements.txt"
    pip = [sys.executable, "-m", "pip", "--isolated", "download", "-q", "-r", str(file)]
    # Of this machine's own index, nothing.
    environ = {**os.environ, "PIP_CONFIG_FILE": os.devnull}
    command = [*pip, "-d", tmp_path / "got"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert sorted(file.name.split("-")[1] for file in (tmp_path / "got").iterdir()) == [
        "1.0",
        "2.1+cu118",
    ]


def test_a_second_lock_of_the_same_is_the_same(tmp_path: Path, index: str) -> None:
    """Where pins come from is no pin that the next one would have to keep."""
    text = f"--index-url {index}/all\nalpha\n"
    assert locked(tmp_path / "model", text) == locked(tmp_path / "model", text)


def test_sources_of_included_files_are_kept(tmp_path: Path, index: str) -> None:
    """In order, each once, with what belongs to them."""
    more = f"--trusted-host 127.0.0.1\n--find-links {index}/cu118/torchlike\n--no-index\n"
    write_files(tmp_path / "model", {"base.txt": more.encode(), "limits.txt": more.encode()})
    pins = locked(tmp_path / "model", "-r base.txt\n-c limits.txt\ntorchlike\n")
    assert pins[:4] == [
        "--no-index",
        "--trusted-host 127.0.0.1",
        f"--find-links {index}/cu118/torchlike",
        "torchlike==2.1+cu118 \\",
    ]


def test_a_folder_of_this_machine_is_no_source(tmp_path: Path) -> None:
    """Nor is the index given up for it, which another machine needs."""
    wheel(tmp_path / "wheels", "alpha", "1.0")
    pins = locked(tmp_path / "model", f"--no-index\n--find-links {tmp_path / 'wheels'}\nalpha\n")
    assert pins[0] == "alpha==1.0 \\"
    assert not [line for line in pins if line.startswith("--")]


@pytest.mark.parametrize(
    "line",
    [
        "--extra-index-url https://{user}:{word}@h.example/simple",
        "--index-url https://{word}@h.example/simple",
        "--find-links https://{user}:{word}@h.example/wheels",
        "own @ https://{user}:{word}@h.example/own-1.0-py3-none-any.whl",
        "-e git+https://{word}@git.example/own.git#egg=own",
    ],
)
def test_a_password_is_not_written_down(tmp_path: Path, line: str) -> None:
    """A lock is committed, and its pins are published: it is refused instead, and not shown."""
    word = "made" + "-up"
    manifest = write_files(
        tmp_path, {"clarifai.yaml": MANIFEST, "inference.py": INFERENCE.encode()}
    )
    model = load(manifest, {}, offline=True)
    write_files(tmp_path, {"requirements.txt": line.format(user="deploy", word=word).encode()})
    code = replace(model.code, requirements=tmp_path / "requirements.txt")
    with pytest.raises(SourceError) as caught:
        lock.make(replace(model, code=code))
    assert [p.code for p in caught.value.problems] == ["requirement-credentials"]
    assert word not in str(caught.value)
    assert not lock.path_of(model).exists()
