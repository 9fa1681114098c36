"""Files that may not be read: an error that names them, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.trees import write_files

MANIFEST = b"model: {id: m, type: text-to-text}\ncode: {path: code}\n"
CODE = b"class InferenceModel:\n    def get_predictions(self, input_data, **kwargs): ...\n"
NOBODY = 65534
WHY = "which can't be reached: Permission denied"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model folder with one of each file that is read before anything is packed."""
    write_files(tmp_path / "m", {"clarifai.yaml": MANIFEST, "code/inference.py": CODE})
    names = ("requirements.txt", "model.py", ".clarifaiignore", "data/x", "other/x")
    return write_files(tmp_path / "m", {f"code/{name}": b"" for name in names})


def deny(path: Path) -> None:
    """Take every right away, and the file, too: a superuser may read what is his own."""
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)
    path.chmod(0)


def build(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Build as a user without a superuser's rights over the files of others."""
    weak = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
    environ = os.environ | {
        "XDG_CACHE_HOME": str(folder.parent / "cache"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [*weak, sys.executable, "-m", "clarifai_build", "build", *options]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)


@pytest.mark.parametrize(
    "name", ["inference.py", "requirements.txt", "model.py", ".clarifaiignore", "data", "."]
)
@pytest.mark.parametrize("options", [(), ("--list",)])
def test_what_may_not_be_read_is_named(model: Path, name: str, options: tuple[str, ...]) -> None:
    """Once, with the exit code of files that can't be packed."""
    if name != "model.py":
        (model / "code" / "model.py").unlink()
    deny(model / "code" / name)
    done = build(model, *options)
    (model / "code").chmod(0o755)
    assert done.returncode == 3, done.stderr
    errors = [line for line in done.stderr.splitlines() if "error[" in line]
    assert len(errors) == 1, done.stderr
    assert str(Path("code", name)) in errors[0]
    assert "error[unreadable]" in errors[0]


def test_all_that_may_not_be_read_is_named(model: Path) -> None:
    """Files whose content is packed, all at once; a link into such a folder, beside the folder."""
    (model / "code" / "model.py").unlink()
    for name in ("data/x", "other/x"):
        deny(model / "code" / name)
    done = build(model)
    assert done.returncode == 3
    assert done.stderr.count("error[unreadable]") == 2
    (model / "code" / "link").symlink_to("data/x")
    deny(model / "code" / "data")
    done = build(model)
    (model / "code" / "data").chmod(0o755)
    errors = sorted(line for line in done.stderr.splitlines() if "error[" in line)
    target = model / "code" / "data" / "x"
    assert errors == [
        "code/data: error[unreadable] data can't be read: Permission denied",
        f"code/link: error[symlink] link is a symbolic link to {target}, {WHY}",
    ]


def test_a_folder_that_may_not_be_searched_is_named(model: Path) -> None:
    """By every command: a manifest that is passed over could be pruned."""
    (model / "code" / "model.py").unlink()
    deny(model)
    weak = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
    for command, told in (
        (
            ("validate", str(model.parent)),
            f"the folder {model} can't be searched",
        ),
        (("validate", str(model / "clarifai.yaml")), "can't read it: Permission denied"),
        (("build", str(model / "clarifai.yaml")), "can't read it: Permission denied"),
    ):
        line = [*weak, sys.executable, "-m", "clarifai_build", *command]
        done = subprocess.run(line, cwd="/", capture_output=True, text=True)
        assert done.returncode in (3, 64)
        assert f"error[unreadable-file] {told}" in done.stdout + done.stderr
    model.chmod(0o755)


@pytest.mark.parametrize("action", ["list", "prune"])
def test_a_cache_that_may_not_be_looked_at_is_named(tmp_path: Path, action: str) -> None:
    """Rather than to be taken for empty, or for a bug."""
    folder = write_files(tmp_path / "clarifai-build", {"digests-4.sqlite": b""})
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    folder.chmod(0 if action == "list" else 0o555)
    weak = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
    command = [*weak, sys.executable, "-m", "clarifai_build", "cache", action]
    environ = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(command, cwd="/", env=environ, capture_output=True, text=True)
    folder.chmod(0o755)
    assert "error[unwritable]" in done.stderr
    assert "Permission denied" in done.stderr
    assert str(folder) in done.stderr


def test_a_cache_that_may_not_be_read_is_done_without(model: Path) -> None:
    """The compressed files of others, say after a run as root."""
    compressed = MANIFEST + b"artifact: {compression: deflate}\n"
    write_files(model, {"clarifai.yaml": compressed, "code/w.bin": bytes(5 << 20)})
    for name in ("requirements.txt", "model.py"):
        (model / "code" / name).unlink()
    made = build(model)
    assert made.returncode == 0, made.stderr
    kept = model.parent / "cache/clarifai-build/deflated"
    before = (model / "dist").exists(), made.stdout
    for folder in kept.iterdir():
        deny(folder)
    again = build(model)
    for folder in kept.iterdir():
        folder.chmod(0o755)
    assert again.returncode == 0, again.stderr
    assert ((model / "dist").exists(), again.stdout) == before
